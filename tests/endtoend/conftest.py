"""A whole server, called with curl over TLS.

Each worker process of pytest runs one server, which the tests take turns to use. Each of them gets
a district of its own there, and a neighbor. A test that stops, kills or configures its server, or
that looks at the whole data folder, starts its own with the fixture ``rollbook``.
"""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from email import message_from_string, policy
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import PASSWORD
from tests.installations import copied, environment, execute, installed
from tests.patience import TIMEOUT_S
from tests.prepared import Task, prepared, read_lines

LOGIN = "ops@maple.example"
NEIGHBOUR = "ops@cedar.example"
END_OF_MAIL = f"{'-' * 79}\n"
"""What Django writes behind each mail in a file."""

SCHOOLS = "100,Maple High\n200,Maple Middle\n"

BATCH = 10
"""How many pairs of districts the shared server gets at a time; each time starts a process."""

UNFINISHED = (
    "SELECT count(*) FROM updates_updatejob"
    " WHERE ended_at IS NULL AND (apply_at IS NOT NULL OR state NOT IN ('checked', 'held'))"
)


@dataclass(frozen=True)
class OwnDistrict:
    """A district as its scripts know it; ``domain`` is that of its members' emails."""

    name: str
    slug: str
    domain: str

    @property
    def login(self) -> str:
        """The login of its manager."""
        return f"ops@{self.domain}"


MAPLE = OwnDistrict("Maple USD", "maple-usd", "maple.example")
CEDAR = OwnDistrict("Cedar County", "cedar-county", "cedar.example")


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
    """One data folder and, while it runs, its server.

    Attributes:
        data: The data folder.
        url: The address of the server while it runs.
        process: The server.
        extra: Variables of its environment.
        district: The district under test.
        neighbor: Another district, which must neither see its data nor be seen.
        is_shared: Whether other tests use the server, too; then only the emails to the two
            districts and the log since the beginning of the test are shown.
        log_start: The size of the log when the test began.
    """

    data: Path
    url: str = ""
    process: "Task | subprocess.Popen[bytes] | None" = None
    extra: dict[str, str] = field(default_factory=dict)
    district: OwnDistrict = MAPLE
    neighbor: OwnDistrict = CEDAR
    is_shared: bool = False
    log_start: int = 0

    @property
    def environment(self) -> dict[str, str]:
        return environment(
            self.data, CURL_CA_BUNDLE=str(self.data / "certificate.pem"), **self.extra
        )

    @property
    def log(self) -> Path:
        """Where the server's log goes."""
        return self.data.parent / "serve.log"

    def read_log(self) -> str:
        """Return the log since the beginning of the test."""
        return self.log.read_bytes()[self.log_start :].decode()

    def run_all(self, *commands: Sequence[str]) -> None:
        """Run several subcommands in one process, which takes less time than one for each."""
        words = json.dumps(list(map(list, commands)))
        done = prepared().run("tests.commands", words, environment=self.environment)
        assert done.code == 0, f"{done.out}\n{done.err}"

    def run(self, *arguments: str, code: int = 0, stdin: str = "") -> str:
        """Run one subcommand of ``rollbook``; returns its output."""
        done = prepared().run("rollbook", *arguments, environment=self.environment, stdin=stdin)
        assert done.code == code, f"{done.out}\n{done.err}"
        return done.out

    def start(self, port: int = 0, inside: Sequence[str] = ()) -> None:
        """Serve on a free port until ``stop`` or ``kill``; ``inside`` is a command prefix."""
        assert not self.is_shared
        output = self.data.parent / "serve.out"
        output.unlink(missing_ok=True)
        words = ("rollbook", "serve", "--port", str(port))
        if inside:
            self.process = self._execute([*inside, sys.executable, "-m", *words], output)
        else:
            self.process = prepared().start(
                *words, environment=self.environment, stdout=output, stderr=self.log
            )
        line = read_lines(self.process, output, 1)
        ready = re.fullmatch(r"Rollbook is ready at (https?://\S+)/\n", line)
        assert ready, self.log.read_text()
        self.url = ready[1]

    def _execute(self, command: Sequence[str], output: Path) -> "subprocess.Popen[bytes]":
        with output.open("ab") as stdout, self.log.open("ab") as stderr:
            return subprocess.Popen(
                command,
                env=self.environment,
                stdout=stdout,
                stderr=stderr,
                start_new_session=True,
            )

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """Without warning; its children go with it."""
        self._end(signal.SIGKILL)

    def _end(self, number: int) -> None:
        if self.process:
            self.process.send_signal(number)
            self.process.wait(TIMEOUT_S)
            self.process = None

    def descendants(self, name: str) -> list[int]:
        """Return the ids of processes with this subcommand, oldest first.

        They are those that ``serve`` has started, or if it isn't running, this test.
        """
        root = os.getpid()
        if self.process:
            root = self.process.pid
        found, parents = [], [root]
        while parents:
            parent = parents.pop()
            with suppress(OSError):
                for task in Path(f"/proc/{parent}/task").iterdir():  # a thread has its own children
                    parents += map(int, (task / "children").read_text().split())
                if name in Path(f"/proc/{parent}/cmdline").read_text().split("\0")[:5]:
                    found.append(parent)
        return sorted(found)

    def curl(
        self, command: str, *arguments: str, login: str = "", password: str = PASSWORD
    ) -> Answer:
        """Run one of the upload commands with these arguments of curl, and return its answer."""
        done = subprocess.run(
            [
                *("curl", "-sS", "-w", "\n%{http_code}", *arguments),
                *("-F", f"login={login or self.district.login}", "-F", f"password={password}"),
                f"{self.url}/slc/studentupdate/{command}",
            ],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
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

    def until_ended(self, seconds: float = TIMEOUT_S, login: str = "") -> str:
        """Poll the status until no update is running; return the verdict."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            verdict = self.curl("status", login=login).verdict
            if not verdict.startswith(("RUNNING", "ERROR database_busy")):
                return verdict
            time.sleep(0.2)
        raise AssertionError(f"still {verdict} after {seconds} s")

    def show_update(self, number: int | None = None) -> dict[str, Any]:
        """Return what ``rollbook update show --json`` prints."""
        which = [str(number)] if number else []
        output = self.run("update", "show", self.district.slug, *which, "--json")
        shown: dict[str, Any] = json.loads(output)
        return shown

    def list_updates(self) -> list[dict[str, Any]]:
        """Return what ``rollbook update list --json`` prints."""
        listed: list[dict[str, Any]] = json.loads(
            self.run("update", "list", self.district.slug, "--json")
        )
        return listed

    def export(self) -> str:
        """Return what ``rollbook student export`` prints."""
        return self.run("student", "export", self.district.slug)

    def mails(self) -> list[str]:
        """Return the complete emails of this test in the order they were sent.

        Two that are sent in the same second may be in the same file.
        """
        folder = self.data / "mail"
        files = (
            sorted(folder.iterdir(), key=lambda file: file.stat().st_mtime_ns)
            if folder.is_dir()
            else []
        )
        texts = [file.read_text(encoding="utf-8") for file in files]
        # After the last end of an email is what isn't complete yet.
        mails = [mail for text in texts for mail in text.split(END_OF_MAIL)[:-1]]
        return [mail for mail in mails if self._is_ours(mail)]

    def subjects(self) -> list[str]:
        """Return the subjects of the emails of this test, in the order they were sent."""
        messages = map(partial(message_from_string, policy=policy.default), self.mails())
        return [str(message["Subject"]).strip() for message in messages]

    def _is_ours(self, mail: str) -> bool:
        domains = (self.district.domain, self.neighbor.domain)
        recipient = re.search(r"^To: \S+@(\S+)$", mail, re.MULTILINE)
        return not self.is_shared or bool(recipient and recipient[1] in domains)

    def until_mailed(self, count: int, seconds: float = TIMEOUT_S) -> list[str]:
        """Wait for so many mails."""
        deadline = time.monotonic() + seconds
        while len(self.mails()) < count:
            assert time.monotonic() < deadline, f"{len(self.mails())} mails after {seconds} s"
            time.sleep(0.1)
        return self.mails()

    def add_district(self, name: str, slug: str, login: str, schools: str) -> None:
        """Create a district with schools, one manager and no limits, with the README's commands."""
        self.run_all(*self._commands_to_add(name, slug, login, schools))

    def add_districts(self, districts: Sequence[OwnDistrict]) -> None:
        """Create several districts at once, each with the schools 100 and 200 and one manager."""
        commands: list[Sequence[str]] = []
        for one in districts:
            commands += self._commands_to_add(one.name, one.slug, one.login, SCHOOLS)
        self.run_all(*commands)

    def _commands_to_add(
        self, name: str, slug: str, login: str, schools: str
    ) -> Sequence[Sequence[str]]:
        file = self.data.parent / f"schools-{slug}.csv"
        file.write_text("SCHOOL_ID,NAME\n" + schools, encoding="utf-8")
        secret = self.data.parent / "password.txt"
        secret.write_text(PASSWORD + "\n", encoding="utf-8")
        limits = self.data.parent / "no-limits.json"
        limits.write_text('{"limits": {}}', encoding="ascii")
        who = ("--first", "Ana", "--last", "Ruiz", "--role", "district manager")
        return [
            ("district", "add", name, "--time-zone", "America/Chicago"),
            ("limits", "set", slug, "--file", str(limits)),
            ("school", "load", slug, str(file)),
            ("staff", "add", slug, login, *who, "--password-file", str(secret)),
        ]


class SharedServer:
    """The server of a worker process, and the districts on it that no test has used."""

    def __init__(self, data: Path) -> None:
        self.rollbook = Rollbook(data)
        self.rollbook.start()
        self._unused: list[OwnDistrict] = []
        self._made = 0

    def for_one_test(self) -> Rollbook:
        """Return the server as a test sees it: with two districts that nobody has used."""
        if not self._unused:
            self._add_districts()
        district, neighbor = self._unused.pop(0), self._unused.pop(0)
        log_start = self.rollbook.log.stat().st_size
        return replace(
            self.rollbook,
            process=None,
            district=district,
            neighbor=neighbor,
            is_shared=True,
            log_start=log_start,
        )

    def wait_until_idle(self, seconds: float = TIMEOUT_S) -> None:
        """Wait until no update is left that would take its time from the next test."""
        deadline = time.monotonic() + seconds
        while execute(self.rollbook.data, UNFINISHED) != [(0,)]:
            assert time.monotonic() < deadline, f"updates are unfinished after {seconds} s"
            time.sleep(0.1)

    def _add_districts(self) -> None:
        numbers = range(self._made + 1, self._made + BATCH + 1)
        for number in numbers:
            self._unused += [
                OwnDistrict(f"Maple {number}", f"maple-{number}", f"maple{number}.example"),
                OwnDistrict(f"Cedar {number}", f"cedar-{number}", f"cedar{number}.example"),
            ]
        self.rollbook.add_districts(self._unused)
        self._made += BATCH


@pytest.fixture(scope="session")
def two_districts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Maple USD with the schools 100 and 200, and its neighbor Cedar County; a template to copy."""
    rollbook = Rollbook(installed(tmp_path_factory.mktemp("districts") / "data"))
    rollbook.add_district(MAPLE.name, MAPLE.slug, MAPLE.login, SCHOOLS)
    rollbook.add_district(CEDAR.name, CEDAR.slug, CEDAR.login, "100,Cedar High\n900,Cedar Middle\n")
    return rollbook.data


@pytest.fixture
def rollbook(two_districts: Path, tmp_path: Path) -> Iterator[Rollbook]:
    """Two districts on a server of the test's own, which does not run yet."""
    rollbook = Rollbook(copied(two_districts, tmp_path / "data"))
    yield rollbook
    rollbook.kill()


@pytest.fixture
def serving_alone(rollbook: Rollbook) -> Rollbook:
    """The same, serving."""
    rollbook.start()
    return rollbook


@pytest.fixture(scope="session")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SharedServer]:
    """The server of this worker process."""
    shared = SharedServer(installed(tmp_path_factory.mktemp("shared") / "data"))
    yield shared
    shared.rollbook.kill()


@pytest.fixture
def serving(shared_server: SharedServer) -> Iterator[Rollbook]:
    """Two districts of the test's own on the shared server."""
    yield shared_server.for_one_test()
    shared_server.wait_until_idle()
