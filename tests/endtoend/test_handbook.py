"""The operator's handbook: its commands are run word for word, in its order, from the wheel."""

import getpass
import http.cookiejar
import os
import re
import ssl
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import PASSWORD
from tests.faults.folder import HEADER, row
from tests.next_release import ADDITIVE, VERSION, add_migrations, copied_tree
from tests.patience import TIMEOUT_S
from tests.postgres.server import OWNER, running_server

pytestmark = [
    pytest.mark.without_database,
    pytest.mark.daily_share(1 / 8),
]

ROOT = Path(__file__).parents[2]
HANDBOOK = ROOT / "docs" / "operators-handbook.md"
URL = "https://localhost:8443"
UNSET = ("ROLLBOOK_", "TESTS_", "PYTEST_", "DJANGO_", "PYTHON", "VIRTUAL_ENV", "CURL_", "DATABASE_")
"""How the variables begin that a new account doesn't have."""

STUDENTS = 40
WHOLE = 12_000
"""Students of the file that is being processed when the server is stopped for the upgrade."""

WHEN_INSTALLED = """
(
    until ls ~/rollbook/lib/python3*/site-packages/rollbook-{version}.dist-info >/dev/null 2>&1
    do sleep 0.1
    done
    {upload}
) > ~/upload.log 2>&1 &
"""

_BLOCK = re.compile(r"<!-- run: ([a-z ]+) -->\n```sh\n(.*?)```", re.DOTALL)
_END = "end of block"


def blocks() -> dict[str, str]:
    """The commands that are run, by the name of their block."""
    found = _BLOCK.findall(HANDBOOK.read_text(encoding="utf-8"))
    assert len({name for name, _ in found}) == len(found)
    return dict(found)


@dataclass
class Shell:
    """One shell, which keeps its variables and jobs from block to block, as a terminal does.

    Attributes:
        home: The home folder of the operator, which is also the current folder.
        process: The shell.
    """

    home: Path
    process: "subprocess.Popen[str]"

    def run(self, name: str) -> str:
        """Run a block of the handbook; return what its commands print."""
        return self.run_commands(blocks()[name])

    def run_commands(self, commands: str) -> str:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(f"failed=\n{commands}\necho {_END} $failed\n")
        self.process.stdin.flush()
        lines: list[str] = []
        for line in self.process.stdout:
            if line.startswith(_END):
                assert line == f"{_END}\n", self.log() + "".join(lines)
                break
            lines.append(line)
        return "".join(lines)

    def log(self, name: str = "rollbook.log") -> str:
        log = self.home / name
        return log.read_text() if log.exists() else ""

    def until(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + TIMEOUT_S
        while not condition():
            assert time.monotonic() < deadline, self.log()
            time.sleep(0.2)

    def until_ready(self) -> None:
        """Wait for the server that the last block has started."""
        call = f"curl -s --fail {URL}/healthz || echo not ready"
        self.until(lambda: "not ready" not in self.run_commands(call))

    def until_ended(self) -> str:
        """Wait for the end of the update; return the answer of the handbook's status."""
        self.until(lambda: not self.run("status").startswith(("RUNNING", "ERROR")))
        return self.run("status")

    def expect_healthy(self) -> None:
        """Check that doctor finds no error."""
        assert "\n0 errors, " in self.run("doctor")


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    """A shell of an account that has just been created."""
    home = tmp_path / "home"
    home.mkdir()
    kept = {name: value for name, value in os.environ.items() if not name.startswith(UNSET)}
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    process = subprocess.Popen(
        ["bash", "--noprofile", "--norc"],
        cwd=home,
        env=kept | {"HOME": str(home), "USER": getpass.getuser(), "PATH": path},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    shell = Shell(home, process)
    shell.run_commands("trap 'failed=failed' ERR")
    yield shell
    if process.poll() is None:
        shell.run_commands("kill $(jobs -p) 2>/dev/null; wait; failed=")
        process.kill()
    process.wait()


def build_wheel(tree: Path, to: Path) -> None:
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*build, "--no-index", "--wheel-dir", str(to), str(tree)], check=True)


def write_files(home: Path, tmp_path: Path) -> None:
    """Write what the handbook takes as given: two releases, and files of the district."""
    tree = copied_tree(tmp_path / "today", version="")
    build_wheel(tree, home)
    tree = copied_tree(tmp_path / "next")
    add_migrations(tree, {"9001_next": ADDITIVE})
    build_wheel(tree, home / "new")
    (home / "run.txt").write_bytes((ROOT / "requirements" / "run.txt").read_bytes())
    (home / "schools.csv").write_text("SCHOOL_ID,NAME\n100,Maple High\n200,Maple Middle\n")
    (home / "password.txt").write_text(f"{PASSWORD}\n")
    (home / "students.csv").write_text(HEADER + "".join(map(row, range(STUDENTS))))


def choose_password(link: str, certificate: Path) -> None:
    """Follow the link of the invitation, as the manager does in a browser."""
    tls = ssl.create_default_context(cafile=str(certificate))
    cookies = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
    browser = urllib.request.build_opener(urllib.request.HTTPSHandler(context=tls), cookies)
    page: Any = browser.open(link)
    found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.read().decode())
    assert found
    names = {"new": PASSWORD, "again": PASSWORD}
    form = urllib.parse.urlencode({"csrfmiddlewaretoken": found[1], **names}).encode()
    browser.open(urllib.request.Request(page.url, form, {"Referer": page.url}))


def test_the_handbook_from_installation_to_the_end_of_a_district(
    shell: Shell, tmp_path: Path
) -> None:
    home = shell.home
    write_files(home, tmp_path)
    assert shell.run("install").startswith("rollbook ")
    shell.run("settings")
    link = re.search(rf"{URL}/\S+", shell.run("init"))
    assert link
    shell.run("serve")
    shell.run_commands("export CURL_CA_BUNDLE=~/rollbook-data/certificate.pem")
    shell.until_ready()
    shell.expect_healthy()
    choose_password(link[0], home / "rollbook-data" / "certificate.pem")
    assert shell.run("load").startswith("OK update 1 accepted")
    assert shell.until_ended().startswith("COMPLETED update 1")
    export = shell.run_commands("rollbook student export maple-usd")
    assert export.count("\n") == STUDENTS + 1

    shell.run("backup")
    shell.run_commands("kill -9 $(jobs -p); wait; rm -rf ~/rollbook-data; failed=")
    shell.run("restore")
    shell.until_ready()
    shell.run("after restore")
    shell.expect_healthy()
    assert shell.run_commands("rollbook student export maple-usd") == export

    (home / "students.csv").write_text(HEADER + "".join(map(row, range(WHOLE))))
    # So many new students would be held.
    (home / "no-limits.json").write_text('{"limits": {}}')
    shell.run_commands("rollbook limits set maple-usd --file no-limits.json")
    shell.run_commands(WHEN_INSTALLED.format(version=VERSION, upload=blocks()["load"]))
    shell.run("upgrade")
    shell.until_ready()
    assert (home / "upload.log").read_text().startswith("OK update 2 accepted")
    assert shell.until_ended().startswith("COMPLETED update 2")
    assert f"rollbook {VERSION} " in shell.run_commands("rollbook --version")
    export = shell.run_commands("rollbook student export maple-usd")
    assert export.count("\n") == WHOLE + 1
    shell.expect_healthy()

    with running_server(tcp=True, durable=True) as server:
        server.create_database(OWNER)
        url = server.url(OWNER, port=server.port)
        shell.run_commands(f"export NEW_DATABASE_URL='{url}' PATH={server.binaries}:$PATH")
        shell.run("move")
        shell.until_ready()
        assert shell.run_commands("rollbook student export maple-usd") == export
        shell.run("second worker")
        shell.until(lambda: "worker ready" in shell.log("second.log"))
        shell.expect_healthy()
        shell.run("delete")
        assert "maple-usd" not in shell.run_commands("rollbook district list")
        shell.expect_healthy()
        shell.run_commands("kill $(jobs -p); wait; failed=")
