"""Test the wizard of the Automation page: one download with everything, and its first call."""

import base64
import io
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from rollbook.accounts.auth import api_tokens
from rollbook.accounts.auth.api_tokens import Scope
from rollbook.accounts.models import AuditEvent, Member, Token
from rollbook.districts.models import District
from rollbook.web.pages.automation.setup import PLATFORMS
from tests.conftest import PASSWORD, make_member
from tests.web.pages.conftest import ADDRESS, SignedIn, Visitor
from tests.web.pages.reading import Page, read

FILLED = {"name": "File server", "password": PASSWORD}
FILES = {
    "cron": ["nightly.sh"],
    "systemd": ["nightly.sh", "rollbook-nightly.service", "rollbook-nightly.timer"],
    "windows": ["nightly.ps1"],
}


@pytest.fixture
def browser(manager: Member, visitor: SignedIn) -> Visitor:
    return visitor(manager)


def set_up(browser: Visitor, platform: str = "cron", **more: str) -> Page:
    answer = browser.post(f"/automation/setup/{platform}", {**FILLED, **more})
    assert answer.status_code == 200, read(answer).problems
    return read(answer)


def download(page: Page) -> zipfile.ZipFile:
    address = page.links["Download rollbook-nightly.zip"]
    data = base64.b64decode(address.removeprefix("data:application/zip;base64,"))
    return zipfile.ZipFile(io.BytesIO(data))


def secret_in(archive: zipfile.ZipFile) -> str:
    line = archive.read("rollbook-nightly/token.txt").decode().strip()
    return line.removeprefix("Authorization: Bearer ")


def test_the_page_leads_to_each_platform(browser: Visitor) -> None:
    page = browser.read("/automation")
    for name, platform in PLATFORMS.items():
        assert page.links[platform.title] == f"/automation/setup/{name}"
        assert platform.title in browser.read(f"/automation/setup/{name}").heading
    assert "can’t receive files by SFTP yet" in page.text


@pytest.mark.parametrize("platform", PLATFORMS)
def test_one_download_has_everything_filled_in(browser: Visitor, platform: str) -> None:
    page = set_up(browser, platform)
    archive = download(page)
    names = [name.removeprefix("rollbook-nightly/") for name in archive.namelist()]
    assert names == [*FILES[platform], "token.txt", "README.txt"]
    texts = {name: archive.read(f"rollbook-nightly/{name}").decode("utf-8-sig") for name in names}
    assert "https://localhost:8443/slc/studentupdate" in texts[FILES[platform][0]]
    assert ("\r\n" in texts["README.txt"]) == (platform == "windows")
    for line in texts["README.txt"].splitlines():
        assert line in page.text


def test_only_its_owner_may_read_the_token_and_the_script_can_be_run(
    browser: Visitor, tmp_path: Path
) -> None:
    archive = download(set_up(browser, "systemd"))
    modes = {entry.filename: entry.external_attr >> 16 for entry in archive.infolist()}
    assert modes.pop("rollbook-nightly/nightly.sh") == 0o700
    assert set(modes.values()) == {0o600}
    archive.extractall(tmp_path)
    subprocess.run(["sh", "-n", tmp_path / "rollbook-nightly" / "nightly.sh"], check=True)


def test_the_token_works_for_the_script_only_and_is_shown_once(
    browser: Visitor, manager: Member
) -> None:
    page = set_up(browser)
    secret = secret_in(download(page))
    token = api_tokens.sign_in(secret, ADDRESS, timezone.now())
    assert (token.member, token.name) == (manager, "File server")
    assert sorted(token.scopes) == ["start", "status"]
    assert secret not in page.text
    assert secret not in str(list(Token.objects.values()))
    for address in ("/automation", "/account/tokens", f"/automation/first-call/{token.pk}"):
        assert secret not in browser.get(address).content.decode()
    assert AuditEvent.objects.get(action="create token").result == "ok"


@pytest.mark.parametrize(("wish", "expected"), [({}, "no"), ({"fails_on_rejected": "on"}, "yes")])
def test_the_script_fails_for_rejected_rows_if_that_is_chosen(
    browser: Visitor, wish: dict[str, str], expected: str
) -> None:
    shell = download(set_up(browser, **wish)).read("rollbook-nightly/nightly.sh").decode()
    assert f"${{ROLLBOOK_FAIL_ON_REJECTED:-{expected}}}" in shell
    windows = download(set_up(browser, "windows", **wish))
    assert f"$failOnRejected = '{expected}'" in windows.read("rollbook-nightly/nightly.ps1").decode(
        "utf-8-sig"
    )


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"name": ""}, "Name of the computer: This field is required."),
        ({"password": ""}, "Your password: This field is required."),
        ({"password": "wrong"}, "Your password: That isn’t your password. Try again."),
    ],
)
def test_without_a_name_and_the_password_no_token_is_created(
    browser: Visitor, fields: dict[str, Any], problem: str
) -> None:
    answer = browser.post("/automation/setup/cron", {**FILLED, **fields})
    assert answer.status_code == 422
    assert read(answer).problems == [problem]
    assert not Token.objects.exists()


def test_the_first_call_is_shown_when_it_arrives(browser: Visitor) -> None:
    page = set_up(browser)
    assert "waiting for the first call" in page.text
    secret = secret_in(download(page))
    address = page.links["Check in another tab"]
    waiting = read(browser.get(address, htmx=True))
    assert waiting.root.find(".//div").attrib["hx-get"] == address  # type: ignore[union-attr]
    api_tokens.sign_in(secret, ADDRESS, timezone.now())
    arrived = read(browser.get(address, htmx=True))
    assert "✓ first call received" in arrived.text
    assert "hx-get" not in arrived.root.find(".//div").attrib  # type: ignore[union-attr]
    assert "✓ first call received" in browser.read(address).text


def test_the_first_call_of_somebody_else_is_not_shown(browser: Visitor, maple: District) -> None:
    ben = make_member(maple, "ben@maple.example")
    token, _ = api_tokens.create(ben, "Ben's", (Scope.STATUS,), timezone.now())
    assert browser.get(f"/automation/first-call/{token.pk}").status_code == 404


def test_other_platforms_are_not_found(browser: Visitor) -> None:
    assert browser.get("/automation/setup/sftp").status_code == 404


def test_members_who_cannot_update_students_cannot_set_it_up(
    school_manager: Member, visitor: SignedIn
) -> None:
    assert visitor(school_manager).post("/automation/setup/cron", FILLED).status_code == 403
    assert not Token.objects.exists()
