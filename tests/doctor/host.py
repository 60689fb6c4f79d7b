"""The real command on the host, in a process of its own."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests import installations
from tests.cli import process
from tests.post_office import a_free_port


@dataclass
class Told:
    """What it said: of each part the results and what was found."""

    code: int
    parts: dict[str, list[tuple[str, str]]]

    def results(self, part: str) -> list[str]:
        return [result for result, _ in self.parts[part]]

    def what(self, part: str) -> str:
        """All that was found there."""
        return "\n".join(what for _, what in self.parts[part])


def doctor(data: Path, *arguments: object, **environment: str) -> Told:
    """Ask it about this installation, under these variables."""
    done = process.rollbook(
        "doctor", "--json", *arguments, env=process.environment(data, **environment)
    )
    assert done.stderr == ""
    told: dict[str, Any] = json.loads(done.stdout)
    parts: dict[str, list[tuple[str, str]]] = {}
    for finding in told["findings"]:
        parts.setdefault(finding["part"], []).append((finding["result"], finding["what"]))
    results = [result for part in parts.values() for result, _ in part]
    assert (told["errors"], told["warnings"]) == (results.count("error"), results.count("warning"))
    assert (done.returncode, told["healthy"]) == ((1, False) if told["errors"] else (0, True))
    return Told(done.returncode, parts)


@contextmanager
def serving(data: Path) -> Iterator[tuple[int, int]]:
    """`rollbook serve`; gives its process and its port."""
    port = a_free_port()
    command = [sys.executable, "-m", "rollbook", "serve", "--port", str(port)]
    env = process.environment(data)
    with (data.parent / "serve.log").open("w") as log:
        running = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=log, text=True)
        try:
            assert running.stdout
            assert running.stdout.readline().startswith("Rollbook is ready"), (
                data.parent / "serve.log"
            ).read_text()
            yield running.pid, port
        finally:
            running.terminate()
            running.communicate(timeout=30)


def installed(data: Path) -> Path:
    """A new installation, as closed to others as the command leaves it."""
    installations.installed(data)
    for path in (data, *data.rglob("*")):
        path.chmod(0o700 if path.is_dir() else 0o600)
    return data
