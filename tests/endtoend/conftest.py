"""A whole server, set up with the README's commands and called with curl over TLS."""

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import PASSWORD
from tests.installations import copied, environment, installed

LOGIN = "ops@maple.example"
NEIGHBOUR = "ops@cedar.example"
END_OF_MAIL = f"{'-' * 79}\n"
"""What Django writes behind each mail in a file."""


@dataclass
class Answer:
    """What curl printed, and the status."""

    status: int
    text: str

    @property
    def verdict(self) -> str:
        return self.text.partition("\n")[0]


@dataclass
class Rollbook:
    """One data folder and, while it runs, its server."""

    data: Path
    url: str = ""
    process: "subprocess.Popen[str] | None" = None
    extra: dict[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        return environment(
            self.data, CURL_CA_BUNDLE=str(self.data / "certificate.pem"), **self.extra
        )

    def run(self, *arguments: str, code: int = 0, stdin: str = "") -> str:
        """Run one subcommand of ``rollbook``; returns its output."""
        done = subprocess.run(
            [sys.executable, "-m", "rollbook", *arguments],
            env=self.environment,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == code, f"{done.stdout}\n{done.stderr}"
        return done.stdout

    def start(self, port: int = 0, inside: Sequence[str] = ()) -> None:
        """Serve on a free port until ``stop`` or ``kill``; ``inside`` is a command prefix."""
        log = (self.data.parent / "serve.log").open("a")
        self.process = subprocess.Popen(
            [*inside, sys.executable, "-m", "rollbook", "serve", "--port", str(port)],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            start_new_session=True,
        )
        assert self.process.stdout
        ready = re.fullmatch(
            r"Rollbook is ready at (https?://\S+)/\n", self.process.stdout.readline()
        )
        assert ready, (self.data.parent / "serve.log").read_text()
        self.url = ready[1]

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """Without warning; its children go with it."""
        self._end(signal.SIGKILL)

    def _end(self, number: int) -> None:
        if self.process:
            self.process.send_signal(number)
            self.process.wait(60)
            self.process = None

    def descendants(self, name: str) -> list[int]:
        """Return the ids of processes that ``serve`` started with this subcommand, oldest first."""
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                words = (folder / "cmdline").read_bytes().split(b"\0")
                environment = (folder / "environ").read_bytes()
            except OSError:
                continue
            if (
                name.encode() in words[:5]
                and f"ROLLBOOK_DATA={self.data}\0".encode() in environment
            ):
                found.append(int(folder.name))
        return sorted(found)

    def curl(
        self, command: str, *arguments: str, login: str = LOGIN, password: str = PASSWORD
    ) -> Answer:
        """The mission's own line, with ``arguments`` in front."""
        done = subprocess.run(
            [
                *("curl", "-sS", "-w", "\n%{http_code}", *arguments),
                *("-F", f"login={login}", "-F", f"password={password}"),
                f"{self.url}/slc/studentupdate/{command}",
            ],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        text, _, status = done.stdout.rpartition("\n")
        return Answer(int(status), text)

    def start_update(self, file: Path, *fields: str) -> Answer:
        """Post this file."""
        return self.curl(
            "start",
            "-F",
            f"file=@{file}",
            *(argument for one in fields for argument in ("-F", one)),
        )

    def until_ended(self, seconds: float = 200) -> str:
        """Poll the status until no update is running; return the verdict."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            verdict = self.curl("status").verdict
            if not verdict.startswith(("RUNNING", "ERROR database_busy")):
                return verdict
            time.sleep(0.2)
        raise AssertionError(f"still {verdict} after {seconds} s")

    def told(self, number: int | None = None) -> dict[str, Any]:
        """What ``rollbook update show --json`` tells."""
        shown: dict[str, Any] = json.loads(
            self.run("update", "show", "maple-usd", *([str(number)] if number else []), "--json")
        )
        return shown

    def mails(self) -> list[str]:
        """Return the complete emails in the data folder in the order they were sent."""
        folder = self.data / "mail"
        files = (
            sorted(folder.iterdir(), key=lambda file: file.stat().st_mtime_ns)
            if folder.is_dir()
            else []
        )
        texts = [file.read_text(encoding="utf-8") for file in files]
        return list(filter(_is_whole, texts))

    def until_mailed(self, count: int, seconds: float = 60) -> list[str]:
        """Wait for so many mails."""
        deadline = time.monotonic() + seconds
        while len(self.mails()) < count:
            assert time.monotonic() < deadline, f"{len(self.mails())} mails after {seconds} s"
            time.sleep(0.1)
        return self.mails()

    def add_district(self, name: str, slug: str, login: str, schools: str) -> None:
        """A district with schools and one manager."""
        file = self.data.parent / "schools.csv"
        file.write_text("SCHOOL_ID,NAME\n" + schools, encoding="utf-8")
        secret = self.data.parent / "password.txt"
        secret.write_text(PASSWORD + "\n", encoding="utf-8")
        self.run("district", "add", name, "--time-zone", "America/Chicago")
        self.run("school", "load", slug, str(file))
        who = (
            "--first",
            "Ana",
            "--last",
            "Ruiz",
            "--role",
            "district manager",
            "--password-file",
            str(secret),
        )
        self.run("staff", "add", slug, login, *who)


def _is_whole(mail: str) -> bool:
    return mail.endswith(END_OF_MAIL)


@pytest.fixture(scope="session")
def two_districts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Maple USD with the schools 100 and 200, and its neighbor Cedar County; a template to copy."""
    rollbook = Rollbook(installed(tmp_path_factory.mktemp("districts") / "data"))
    rollbook.add_district("Maple USD", "maple-usd", LOGIN, "100,Maple High\n200,Maple Middle\n")
    rollbook.add_district(
        "Cedar County", "cedar-county", NEIGHBOUR, "100,Cedar High\n900,Cedar Middle\n"
    )
    return rollbook.data


@pytest.fixture
def rollbook(two_districts: Path, tmp_path: Path) -> Iterator[Rollbook]:
    """Two districts on a server that does not run yet."""
    rollbook = Rollbook(copied(two_districts, tmp_path / "data"))
    yield rollbook
    rollbook.kill()


@pytest.fixture
def serving(rollbook: Rollbook) -> Rollbook:
    """The same, serving."""
    rollbook.start()
    return rollbook
