"""Commands and scripts with the district's own values, quoted so that no value becomes a command."""

import configparser
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from rollbook.doors.pages.scripts import SCRIPTS, Values, script
from rollbook.roster.models import District
from rollbook.staff.models import Member
from tests.conftest import a_member
from tests.doors.pages.conftest import SignedIn, Visitor

pytestmark = pytest.mark.django_db

EVIL = Values("https://rollbook.example/slc/studentupdate", "o'brien$(id)@maple.example", "50% \\ of\nMaple", "UTC")


@pytest.fixture
def browser(manager: Member, visitor: SignedIn) -> Visitor:
    return visitor(manager)


def commands(browser: Visitor) -> list[str]:
    page = browser.read("/automation")
    return ["".join(block.itertext()) for block in page.main.iter("pre")]


def test_the_commands_are_ready_to_be_copied(browser: Visitor) -> None:
    test, start, status, cancel, *others = [line for line in commands(browser) if line.startswith("curl")]
    address = "https://localhost:8443/slc/studentupdate"
    signed = "-F login=ops@maple.example -F 'password=<password.txt'"
    assert test == status == f"curl {signed} {address}/status"
    assert start == f"curl -F file=@students.csv {signed} {address}/start"
    assert cancel == f"curl {signed} {address}/cancel"
    shows = ["password=PASSWORD" in line for line in others]
    assert shows == [False, False, True]  # S11


def test_a_login_that_a_shell_would_read_is_quoted(maple: District, visitor: SignedIn) -> None:
    browser = visitor(a_member(maple, "o'brien@maple.example"))
    [test, *_] = [line for line in commands(browser) if line.startswith("curl")]
    assert shlex.split(test)[2] == "login=o'brien@maple.example"


@pytest.mark.parametrize("name", SCRIPTS)
def test_each_script_is_shown_and_can_be_taken(name: str, browser: Visitor) -> None:
    answer = browser.get(f"/automation/scripts/{name}")
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    assert answer["Content-Disposition"] == f'attachment; filename="{name}"'
    text = answer.content.decode()
    assert ("\r\n" in text) == (name == "nightly.ps1")
    assert text.replace("\r\n", "\n").strip() in [block.strip() for block in commands(browser)]
    assert browser.read("/automation").links[name] == f"/automation/scripts/{name}"


def test_there_are_no_others(browser: Visitor) -> None:
    assert browser.get("/automation/scripts/passwd").status_code == 404


def test_a_shell_reads_the_script_and_takes_no_value_for_a_command(tmp_path: Path) -> None:
    file = tmp_path / "nightly.sh"
    file.write_text(script("nightly.sh", EVIL), encoding="utf-8")
    subprocess.run(["sh", "-n", file], check=True)
    said = re.search(r"^login=(.*)$", file.read_text(), re.MULTILINE)
    assert said
    assert shlex.split(said[1]) == [EVIL.login]


def test_in_powershell_every_value_stays_within_its_quotes() -> None:
    """There is no PowerShell here to run it: this looks at its text."""
    text = script("nightly.ps1", EVIL)
    assert "$login = 'o''brien$(id)@maple.example'\n" in text
    assert text.count("{") == text.count("}")
    assert text.count("(") == text.count(")")


@pytest.mark.parametrize("name", ["rollbook-nightly.service", "rollbook-nightly.timer"])
def test_units_can_be_read(name: str, tmp_path: Path) -> None:
    text = script(name, EVIL)
    unit = configparser.ConfigParser(interpolation=None, strict=True)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read_string(text)
    assert "50%% \\\\ ofMaple to Rollbook" in unit["Unit"]["Description"]
    assert ("Timer" in unit) == name.endswith("timer")


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="parsed above; systemd is not on every machine")
def test_systemd_agrees(tmp_path: Path) -> None:
    for name in ("rollbook-nightly.service", "rollbook-nightly.timer"):
        (tmp_path / name).write_text(script(name, EVIL).replace("/opt/rollbook-nightly/nightly.sh", "/bin/true"))
    done = subprocess.run(
        ["systemd-analyze", "verify", *map(str, tmp_path.iterdir())], capture_output=True, text=True, check=False
    )
    assert "rollbook-nightly" not in done.stderr


def test_whoever_may_not_update_has_no_scripts(school_manager: Member, visitor: SignedIn) -> None:
    assert visitor(school_manager).get("/automation/scripts/nightly.sh").status_code == 403
