"""Uses Rollbook as people do: the ``rollbook`` command sets it up; curl does the rest.

The time of an update is measured from the last byte of the upload, as logged by curl, to the end
time in Rollbook's answer. Both use this machine's clock. The time includes scanning the file, which
Rollbook does before it answers, and the few milliseconds that curl takes to start.
"""

import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from bench import processes
from bench.plan import BenchFailed

PASSWORD = "plum-river-candle-fox"
_UPDATE_TIMEOUT_S = 4 * 3600.0
_START_TIMEOUT_S = 60.0
_CLOCK = r"^(\d\d):(\d\d):(\d\d\.\d{6}) "
_FIRST_WORD = re.compile(_CLOCK, re.MULTILINE)
_LAST_BYTE = re.compile(
    _CLOCK + r"\* .*(?:completely uploaded|upload completely sent)", re.MULTILINE
)


@dataclass(frozen=True)
class Upload:
    """An accepted file, with ``last_byte`` in seconds since 1970 and curl's run time ``took``."""

    number: int
    last_byte: float
    took: float


@dataclass(frozen=True)
class Ended:
    """The end of an update: the answer of status, and the seconds since the upload's last byte.

    ``call_seconds`` is the run time of curl for start.
    """

    facts: dict[str, Any]
    seconds: float
    call_seconds: float


@dataclass(frozen=True)
class District:
    """A district and the login that uploads its files."""

    slug: str
    login: str


class Rollbook:
    """A data folder, its database, and the server while ``serving``."""

    def __init__(self, folder: Path, database: str = "") -> None:
        """``database`` is a PostgreSQL URL; if empty, SQLite in the data folder is used."""
        folder.mkdir(parents=True)
        self.folder = folder
        self.data = folder / "data"
        self._port = _free_port()
        self.url = f"https://localhost:{self._port}"
        self._environment = _clean(folder) | {
            "ROLLBOOK_DATA": str(self.data),
            "ROLLBOOK_URL": self.url,
            "CURL_CA_BUNDLE": str(self.data / "certificate.pem"),
            **({"DATABASE_URL": database} if database else {}),
        }
        self.database_address = database or str(self.data / "rollbook.sqlite3")
        self.pid = 0

    def add_district(self, name: str, schools: Path) -> District:
        """Add a district with its schools and the member who uploads its files.

        It has no limits, so no update is held.
        """
        slug = name.lower().replace(" ", "-")
        district = District(slug, f"ops@{slug}.example")
        (self.folder / "password").write_text(PASSWORD, encoding="ascii")
        self.command("district", "add", name)
        self.command("school", "load", slug, str(schools))
        who = ("--first", "Ana", "--last", "Ruiz", "--role", "district manager")
        self.command(
            "staff",
            "add",
            slug,
            district.login,
            *who,
            "--password-file",
            str(self.folder / "password"),
        )
        self.set_limits(district, {"limits": {}})
        return district

    def set_limits(self, district: District, document: dict[str, Any]) -> None:
        """Replace the limits of a district; what the document leaves out is as by default."""
        file = self.folder / "limits.json"
        file.write_text(json.dumps(document), encoding="ascii")
        self.command("limits", "set", district.slug, "--file", str(file))

    def command(self, *arguments: str) -> str:
        """Run a subcommand of ``rollbook``; return its output."""
        return self._run([sys.executable, "-m", "rollbook", *arguments]).stdout

    def module(self, name: str, *arguments: str) -> str:
        """Run a module of the benchmark inside Rollbook's environment; return its output."""
        with self.environment(
            PYTHONPATH=str(Path(__file__).parents[1]), DJANGO_SETTINGS_MODULE="rollbook.settings"
        ):
            return self._run([sys.executable, "-m", name, *arguments]).stdout

    @contextmanager
    def serving(self) -> Iterator[None]:
        """Run ``rollbook serve`` during this block; it is ready when the block starts."""
        with self._process("serve", "--port", str(self._port)) as process:
            self.pid = process.pid
            ready = process.stdout.readline() if process.stdout else ""
            if "ready" not in ready:
                raise BenchFailed(
                    f"rollbook serve did not start; its log is {self.folder / 'serve.log'}"
                )
            yield

    @contextmanager
    def door_only(self) -> Iterator[None]:
        """Run the web server without a worker, so that uploaded files wait."""
        pem, key = self.data / "certificate.pem", self.data / "certificate.key"
        with self._process(
            "web", "--port", str(self._port), "--cert", str(pem), "--key", str(key)
        ) as process:
            self.pid = process.pid
            deadline = time.monotonic() + _START_TIMEOUT_S
            while not self._answers():
                if time.monotonic() > deadline or process.poll() is not None:
                    raise BenchFailed(
                        f"rollbook web did not start; its log is {self.folder / 'web.log'}"
                    )
                time.sleep(0.1)
            yield

    @contextmanager
    def worker(self) -> Iterator[None]:
        """Run another worker during this block."""
        with self._process("worker"):
            yield

    def upload(self, district: District, file: Path, **fields: str) -> Upload:
        """``start`` with this file; raises BenchFailed if it is not accepted."""
        began = time.time()
        answer = self.curl(
            district, "start", "--verbose", "--trace-time", file=f"@{file}", **fields
        )
        facts = _facts(answer.stdout)
        first, last = _FIRST_WORD.search(answer.stderr), _LAST_BYTE.search(answer.stderr)
        if facts.get("verdict") != "OK" or not first or not last:
            raise BenchFailed(f"{file} was not accepted: {answer.stdout or answer.stderr[-500:]}")
        # Some versions of curl log times up to a second off; the difference of two lines is right.
        sending = (_seconds(last) - _seconds(first)) % 86400
        return Upload(int(facts["update"]), began + sending, time.time() - began)

    def end(self, district: District, upload: Upload, state: str = "completed") -> Ended:
        """Wait until the update has ended; raises BenchFailed if it ends in another state.

        Its end time is in the answer, so few calls are enough. Each one takes CPU time from the
        update: curl starts, and the password is checked.
        """
        while True:
            facts = self.status(district, upload.number)
            if facts["ended_at"] or facts["state"] == state:
                break
            if facts["state"] == "held":
                raise BenchFailed(f"update {upload.number} is held: {facts['message']}")
            waited = time.time() - upload.last_byte
            if waited > _UPDATE_TIMEOUT_S:
                raise BenchFailed(
                    f"update {upload.number} has not ended after {waited:.0f} s: {facts['message']}"
                )
            time.sleep(min(max(0.5, waited / 5), 5))
        if facts["state"] != state:
            raise BenchFailed(f"update {upload.number} should be {state}: {facts['message']}")
        ended_at = moment(facts["ended_at"]) if facts["ended_at"] else time.time()
        return Ended(facts, ended_at - upload.last_byte, upload.took)

    def status(self, district: District, number: int) -> dict[str, Any]:
        """The facts of an update."""
        return _facts(self.curl(district, "status", update=str(number)).stdout)

    def cancel(self, district: District, number: int) -> tuple[dict[str, Any], float]:
        """Cancel an update; return the answer and the seconds of the whole call."""
        output = self.curl(
            district, "cancel", "--write-out", "\n%{time_total}", update=str(number)
        ).stdout
        text, _, seconds = output.rpartition("\n")
        return _facts(text), float(seconds)

    def curl(
        self, district: District, command: str, *options: str, **form: str
    ) -> "subprocess.CompletedProcess[str]":
        """One of the three commands, as a district's script calls it."""
        fields = {**form, "login": district.login, "password": PASSWORD}
        words = [word for name, value in fields.items() for word in ("--form", f"{name}={value}")]
        url = f"{self.url}/slc/studentupdate/{command}"
        accept = ("--header", "Accept: application/json")
        return self._run(["curl", "--silent", "--show-error", *accept, *options, *words, url])

    @contextmanager
    def environment(self, **variables: str) -> Iterator[None]:
        """Run what is started in this block with these environment variables, too."""
        before = self._environment
        self._environment = before | variables
        try:
            yield
        finally:
            self._environment = before

    def children(self) -> list[tuple[str, int]]:
        """What ``serve`` has started: ``web`` and ``worker``, and their process ids."""
        commands = {pid: processes.arguments(pid) for pid in processes.children(self.pid)}
        return [
            (role, pid)
            for pid, words in commands.items()
            for role in ("web", "worker")
            if role in words
        ]

    def _answers(self) -> bool:
        health = ["curl", "--silent", f"{self.url}/healthz"]  # 503 is an answer: there is no worker
        return (
            subprocess.run(
                health, env=self._environment, capture_output=True, check=False
            ).returncode
            == 0
        )

    def _run(self, command: list[str]) -> "subprocess.CompletedProcess[str]":
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            error = done.stderr.strip()[-500:]
            raise BenchFailed(
                f"`{' '.join(command[:6])} …` ended with exit code {done.returncode}: {error}"
            )
        return done

    @contextmanager
    def _process(self, *arguments: str) -> Iterator["subprocess.Popen[str]"]:
        command = [sys.executable, "-m", "rollbook", *arguments]
        with (self.folder / f"{arguments[0]}.log").open("a", encoding="utf-8") as log:
            process = subprocess.Popen(
                command,
                cwd=self.folder,
                env=self._environment,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
            with process:
                try:
                    yield process
                finally:
                    process.terminate()


def _facts(answer: str) -> dict[str, Any]:
    try:
        facts: dict[str, Any] = json.loads(answer)
    except ValueError:
        raise BenchFailed(f"this is not an answer of Rollbook's: {answer[:300]!r}") from None
    return facts


def moment(text: str) -> float:
    """Seconds since 1970 of a time in an answer."""
    return datetime.fromisoformat(text).timestamp()


def _seconds(clock: "re.Match[str]") -> float:
    """Since midnight."""
    return int(clock[1]) * 3600 + int(clock[2]) * 60 + float(clock[3])


def _clean(folder: Path) -> dict[str, str]:
    """Our environment without what would lead curl or Rollbook elsewhere."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("ROLLBOOK_")
        and not name.startswith("DATABASE_URL")
        and not name.lower().endswith("_proxy")
    }
    return kept | dict.fromkeys(("HOME", "CURL_HOME", "XDG_CONFIG_HOME"), str(folder))


def _free_port() -> int:
    with socket.create_server(("localhost", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port
