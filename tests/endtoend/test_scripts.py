"""The Automation page: its downloaded scripts and its copied commands, run by sh and curl."""

import os
import re
import shlex
import subprocess
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import pytest

from rollbook.server import tls
from tests.conftest import PASSWORD
from tests.endtoend.conftest import Rollbook
from tests.faults.folder import base
from tests.patience import TIMEOUT_S
from tests.web.pages.reading import Page, read

pytestmark = pytest.mark.daily_on("sqlite")

Done = subprocess.CompletedProcess[str]


@dataclass
class Manager:
    """A manager who is signed in on the pages, with curl and a file of cookies."""

    server: Rollbook
    jar: Path

    def sign_in(self) -> None:
        login = self.server.district.login
        fields = self.read("/sign-in").form().values | {"login": [login], "password": [PASSWORD]}
        sent = [
            word
            for name, [value] in fields.items()
            for word in ("--data-urlencode", f"{name}={value}")
        ]
        self.get("/sign-in", "-H", f"Origin: {self.server.url}", *sent)

    def make_token(self) -> str:
        """The line that the page shows for token.txt."""
        fields = self.read("/account/tokens/new").form().values | {
            "name": ["night"],
            "password": [PASSWORD],
        }
        sent = [
            word
            for name, values in fields.items()
            for one in values
            for word in ("--data-urlencode", f"{name}={one}")
        ]
        answer = self.get("/account/tokens/new", "-H", f"Origin: {self.server.url}", *sent)
        found = re.search(r"Authorization: Bearer rb_\w+", answer)
        assert found, answer
        return found[0]

    def get(self, address: str, *more: str) -> str:
        """What is there, byte by byte."""
        call = [
            "curl",
            "-sSf",
            "-b",
            str(self.jar),
            "-c",
            str(self.jar),
            *more,
            f"{self.server.url}{address}",
        ]
        done = subprocess.run(
            call, env=self.server.environment, capture_output=True, timeout=TIMEOUT_S, check=True
        )
        return done.stdout.decode()

    def read(self, address: str) -> Page:
        return read(SimpleNamespace(content=self.get(address).encode()))


@pytest.fixture
def manager(serving: Rollbook, tmp_path: Path) -> Manager:
    return signed_in(serving, tmp_path)


@pytest.fixture
def folder(serving: Rollbook, manager: Manager, tmp_path: Path) -> Path:
    return script_folder(serving, manager, tmp_path)


def signed_in(serving: Rollbook, place: Path) -> Manager:
    manager = Manager(serving, place / "cookies")
    manager.sign_in()
    return manager


def script_folder(serving: Rollbook, manager: Manager, place: Path) -> Path:
    """Create the folder of the script, with its password and a file of enrolled students."""
    folder = place / "night"
    folder.mkdir()
    (folder / "nightly.sh").write_text(
        manager.get("/automation/scripts/nightly.sh"), encoding="utf-8"
    )
    (folder / "password.txt").write_text(PASSWORD + "\n", encoding="utf-8")
    (folder / "students.csv").write_text(base(), encoding="utf-8")
    serving.run("student", "load", serving.district.slug, str(folder / "students.csv"))
    return folder


def run(serving: Rollbook, folder: Path, **environment: str) -> Done:
    """The script, called from elsewhere as cron does."""
    return sh(serving, os.sep, str(folder / "nightly.sh"), **environment)


def sh(serving: Rollbook, folder: str | Path, *words: str, **environment: str) -> Done:
    return subprocess.run(
        ["sh", *words],
        env=serving.environment | {"ROLLBOOK_PAUSE": "0.2", "HOME": str(folder)} | environment,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )


def test_a_night_goes_well(serving: Rollbook, folder: Path) -> None:
    done = run(serving, folder)
    accepted, completed = (
        line for line in done.stdout.splitlines() if line.startswith(("OK", "COMPLETED"))
    )
    assert accepted.startswith("OK update 2 accepted: ")
    assert completed.startswith("COMPLETED update 2: ")
    assert (done.returncode, done.stderr) == (0, "")


def test_a_token_beside_the_script_goes_before_the_password(
    serving: Rollbook, folder: Path, manager: Manager
) -> None:
    (folder / "token.txt").write_text(manager.make_token() + "\n", encoding="utf-8")
    (folder / "password.txt").unlink()
    done = run(serving, folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert "\nCOMPLETED update 2: " in done.stdout
    (folder / "token.txt").write_text("Authorization: Bearer rb_of_long_ago\n", encoding="utf-8")
    done = run(serving, folder)
    assert (done.returncode, done.stdout.split(":")[0]) == (1, "ERROR token_failed")


def test_a_wrong_password_fails_loudly(serving: Rollbook, folder: Path) -> None:
    (folder / "password.txt").write_text("another one, of long ago\n", encoding="utf-8")
    done = run(serving, folder)
    assert (done.returncode, done.stdout.split(":")[0]) == (1, "ERROR sign_in_failed")


def test_a_file_that_is_refused_fails_loudly(serving: Rollbook, folder: Path) -> None:
    (folder / "students.csv").write_bytes(b"")
    done = run(serving, folder)
    assert (done.returncode, done.stdout.startswith("REFUSED update 2: empty_file")) == (1, True)


def test_without_a_file_nothing_is_sent(serving: Rollbook, folder: Path, manager: Manager) -> None:
    (folder / "students.csv").unlink()
    done = run(serving, folder)
    assert done.returncode == 26
    assert done.stderr.startswith("curl: (26)")
    assert len(manager.read("/updates").rows) == 1


def test_a_server_that_is_away_for_a_moment_is_waited_for(
    serving_alone: Rollbook, tmp_path: Path
) -> None:
    serving = serving_alone
    folder = script_folder(serving, signed_in(serving, tmp_path), tmp_path)
    port = int(serving.url.rpartition(":")[2])
    serving.stop()
    back = threading.Timer(2, serving.start, [port])
    back.start()
    done = run(serving, folder)
    back.join()
    assert done.returncode == 0, done.stderr
    assert "\nCOMPLETED update 2: " in done.stdout


def _codes(page: Page) -> list[str]:
    return ["".join(code.itertext()) for code in page.main.iter("code")]


def _write_sign_in_files(page: Page, folder: Path) -> None:
    """Write the files that the page shows, with the password in its place."""
    lines = [code.replace("…", PASSWORD) for code in _codes(page)]
    (folder / "rollbook.conf").write_text(
        "\n".join(code for code in lines if code.startswith("form-string = "))
    )
    [line] = [code for code in lines if code.startswith("machine ")]
    (folder / ".netrc").write_text(re.sub(r"password .*", f'password "{PASSWORD}"', line))


@pytest.mark.statement("S11")
def test_every_command_of_the_page_works_as_it_is_copied(
    serving: Rollbook, folder: Path, manager: Manager
) -> None:
    page = manager.read("/automation")
    _write_sign_in_files(page, folder)
    (folder / "token.txt").write_text(manager.make_token() + "\n", encoding="utf-8")
    commands = [
        text
        for pre in page.main.iter("pre")
        if (text := "".join(pre.itertext())).startswith("curl ")
    ]
    assert len(commands) == 8
    for command in commands:
        done = sh(serving, folder, "-c", command.replace("=PASSWORD", shlex.quote(f"={PASSWORD}")))
        verdict = (
            "OK "
            if command.endswith("/start")
            else ("COMPLETED", "RUNNING", "OK", "NOTHING TO CANCEL")
        )
        assert (done.stdout.startswith(verdict), done.stderr.count("curl: (")) == (True, 0), (
            command,
            done,
        )
        serving.until_ended()


@pytest.mark.parametrize(
    ("break_it", "message"),
    [
        (lambda folder: (folder / "password.txt").unlink(), "curl: (26)"),
        (
            lambda folder: (folder / "password.txt").write_text("no longer mine"),
            "ERROR sign_in_failed",
        ),
        (lambda folder: (folder / "password.txt").write_text(""), "ERROR sign_in_failed"),
    ],
    ids=["without a password file", "with an old password", "with an empty file"],
)
def test_the_connection_test_fails_as_the_page_says(
    break_it: Callable[[Path], object],
    message: str,
    serving: Rollbook,
    folder: Path,
    manager: Manager,
) -> None:
    page = manager.read("/automation")
    break_it(folder)
    command = "".join(next(page.main.iter("pre")).itertext())
    done = sh(serving, folder, "-c", command)
    assert message in done.stdout + done.stderr
    assert message in [row[0] for row in page.rows]


def test_a_certificate_that_is_not_trusted_is_reported_as_the_page_says(
    serving: Rollbook, folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = tls.self_signed_certificate(tmp_path_factory.mktemp("other"), "localhost")
    done = run(serving, folder, CURL_CA_BUNDLE=str(other.chain))
    assert (done.returncode, done.stdout) == (60, "")
    assert done.stderr.startswith("curl: (60)")
