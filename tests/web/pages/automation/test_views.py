"""Commands and scripts with the district's values, quoted so that no value becomes a command."""

import codecs
import configparser
import re
import shlex
import shutil
import subprocess
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo, available_timezones

import pytest

from rollbook.accounts.models import Member
from rollbook.districts.models import District
from rollbook.web.http.error_codes import ERROR_CODES
from rollbook.web.pages.automation.scripts import RUN_AT, SCRIPTS, Values, script
from tests.conftest import make_member
from tests.web.pages.conftest import SignedIn, Visitor

pytestmark = pytest.mark.django_db

HOSTILE = Values(
    "https://rollbook.example/slc/studentupdate",
    "o'brien$(id)@maple.example",
    "50% \\ of\nMaple",
    "UTC",
)
NIGHTS = [date(2026, 1, 1) + timedelta(days=days) for days in range(2 * 365)]


@pytest.fixture
def browser(manager: Member, visitor: SignedIn) -> Visitor:
    return visitor(manager)


def commands(browser: Visitor) -> list[str]:
    page = browser.read("/automation")
    return ["".join(block.itertext()) for block in page.main.iter("pre")]


def test_the_commands_are_ready_to_be_copied(browser: Visitor) -> None:
    test, start, status, cancel, *others = [
        line for line in commands(browser) if line.startswith("curl")
    ]
    address = "https://localhost:8443/slc/studentupdate"
    signed = "-F login=ops@maple.example -F 'password=<password.txt'"
    assert test == status == f"curl {signed} {address}/status"
    assert start == f"curl -F file=@students.csv {signed} {address}/start"
    assert cancel == f"curl {signed} {address}/cancel"
    shows = ["password=PASSWORD" in line for line in others]
    assert shows == [False, False, False, True]  # S11
    assert others[0] == f"curl -H @token.txt -F file=@students.csv {address}/start"


def test_a_login_that_a_shell_would_read_is_quoted(maple: District, visitor: SignedIn) -> None:
    browser = visitor(make_member(maple, "o'brien@maple.example"))
    [test, *_] = [line for line in commands(browser) if line.startswith("curl")]
    assert shlex.split(test)[2] == "login=o'brien@maple.example"


@pytest.mark.parametrize("name", SCRIPTS)
def test_each_script_is_shown_and_can_be_downloaded(name: str, browser: Visitor) -> None:
    response = browser.get(f"/automation/scripts/{name}")
    assert response["Content-Type"] == "text/plain; charset=utf-8"
    assert response["Content-Disposition"] == f'attachment; filename="{name}"'
    is_windows = name == "nightly.ps1"
    assert response.content.startswith(codecs.BOM_UTF8) == is_windows
    text = response.content.decode("utf-8-sig")
    assert text.count("\r\n") == (text.count("\n") if is_windows else 0)
    assert text.replace("\r\n", "\n").strip() in [block.strip() for block in commands(browser)]
    assert browser.read("/automation").links[name] == f"/automation/scripts/{name}"


def test_other_script_names_are_not_found(browser: Visitor) -> None:
    assert browser.get("/automation/scripts/passwd").status_code == 404


def test_the_shell_script_is_valid_and_runs_no_value_as_a_command(tmp_path: Path) -> None:
    file = tmp_path / "nightly.sh"
    file.write_text(script("nightly.sh", HOSTILE), encoding="utf-8")
    subprocess.run(["sh", "-n", file], check=True)
    match = re.search(r"^login=(.*)$", file.read_text(), re.MULTILINE)
    assert match
    assert shlex.split(match[1]) == [HOSTILE.login]


def test_the_page_explains_each_answer_of_the_connection_test(browser: Visitor) -> None:
    answers = [row[0] for row in browser.read("/automation").rows]
    codes = {answer.partition(" ")[2] for answer in answers if answer.startswith("ERROR")}
    assert codes == {"sign_in_failed", "token_needed", "token_failed", "not_allowed", "throttled"}
    assert codes <= ERROR_CODES.keys()


def test_in_powershell_every_value_stays_within_its_quotes() -> None:
    """Check the text only: PowerShell may not be installed."""
    text = script("nightly.ps1", HOSTILE)
    assert "$login = 'o''brien$(id)@maple.example'\n" in text
    assert text.count("{") == text.count("}")
    assert text.count("(") == text.count(")")


@pytest.mark.parametrize("quote", "'\u2018\u2019\u201a\u201b")
def test_no_character_that_powershell_accepts_as_a_quote_ends_a_value(quote: str) -> None:
    text = script("nightly.ps1", replace(HOSTILE, login=f"a{quote}; exit 0; {quote}@maple.example"))
    assert f"$login = 'a{quote * 2}; exit 0; {quote * 2}@maple.example'\n" in text


def test_the_scripts_run_at_a_time_that_occurs_once_every_night() -> None:
    assert not [
        zone
        for zone in sorted(available_timezones())
        for night in NIGHTS
        if not _occurs_once(night, zone)
    ]


def _occurs_once(night: date, zone: str) -> bool:
    moment = datetime.combine(night, RUN_AT, ZoneInfo(zone))
    return moment.utcoffset() == moment.replace(fold=1).utcoffset()


def test_all_three_schedulers_use_that_time(browser: Visitor) -> None:
    [cron] = [line for line in commands(browser) if line.endswith("/nightly.sh")]
    assert cron.startswith("30 4 * * * /")
    [windows] = [line for line in commands(browser) if line.startswith("schtasks")]
    assert " /SC DAILY /ST 04:30 " in windows
    assert "\nOnCalendar=*-*-* 04:30:00 UTC\n" in script("rollbook-nightly.timer", HOSTILE)


def test_the_netrc_line_has_the_server_name_without_the_port(browser: Visitor) -> None:
    page = browser.read("/automation")
    assert "machine localhost login ops@maple.example password …" in page.text
    assert "Serverlocalhost:8443Login" in page.text
    assert "firewall for port 8443" in page.text


@pytest.mark.parametrize("name", ["rollbook-nightly.service", "rollbook-nightly.timer"])
def test_the_systemd_units_can_be_parsed(name: str, tmp_path: Path) -> None:
    text = script(name, HOSTILE)
    unit = configparser.ConfigParser(interpolation=None, strict=True)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read_string(text)
    assert "50%% \\\\ ofMaple to Rollbook" in unit["Unit"]["Description"]
    assert ("Timer" in unit) == name.endswith("timer")


@pytest.mark.skipif(
    shutil.which("systemd-analyze") is None,
    reason="parsed above; systemd is not installed on every machine",
)
def test_systemd_accepts_the_units(tmp_path: Path) -> None:
    for name in ("rollbook-nightly.service", "rollbook-nightly.timer"):
        (tmp_path / name).write_text(
            script(name, HOSTILE).replace("/opt/rollbook-nightly/nightly.sh", "/bin/true")
        )
    verification = subprocess.run(
        ["systemd-analyze", "verify", *map(str, tmp_path.iterdir())],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "rollbook-nightly" not in verification.stderr


def test_members_who_cannot_update_students_cannot_download_scripts(
    school_manager: Member, visitor: SignedIn
) -> None:
    assert visitor(school_manager).get("/automation/scripts/nightly.sh").status_code == 403
