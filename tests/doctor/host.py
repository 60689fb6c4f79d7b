"""``rollbook doctor`` in its own process."""

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
from tests.patience import TIMEOUT_S
from tests.post_office import a_free_port


@dataclass
class Report:
    """The output: the results and texts of each part."""

    code: int
    parts: dict[str, list[tuple[str, str]]]

    def results(self, part: str) -> list[str]:
        return [result for result, _ in self.parts[part]]

    def what(self, part: str) -> str:
        """Return all texts of a part."""
        return "\n".join(what for _, what in self.parts[part])


def doctor(data: Path, *arguments: object, **environment: str) -> Report:
    """Run it on this installation with these variables."""
    done = process.rollbook(
        "doctor", "--json", *arguments, env=process.environment(data, **environment)
    )
    assert done.stderr == ""
    output: dict[str, Any] = json.loads(done.stdout)
    parts: dict[str, list[tuple[str, str]]] = {}
    for finding in output["findings"]:
        parts.setdefault(finding["part"], []).append((finding["result"], finding["what"]))
    results = [result for part in parts.values() for result, _ in part]
    assert (output["errors"], output["warnings"]) == (
        results.count("error"),
        results.count("warning"),
    )
    assert (done.returncode, output["healthy"]) == ((1, False) if output["errors"] else (0, True))
    return Report(done.returncode, parts)


@contextmanager
def serving(data: Path) -> Iterator[tuple[int, int]]:
    """Run `rollbook serve`; yield its process id and its port."""
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
            running.communicate(timeout=TIMEOUT_S)


def installed(data: Path) -> Path:
    """Create an installation with the permissions that the command sets."""
    installations.installed(data)
    for path in (data, *data.rglob("*")):
        path.chmod(0o700 if path.is_dir() else 0o600)
    return data
