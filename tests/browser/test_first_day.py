"""The tasks of a manager's first day, each within a budget of clicks, with and without scripts."""

import io
import os
import subprocess
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import FilePayload, Locator, Page, expect

from tests.browser.actions import sign_in, wait_until_ended
from tests.browser.conftest import WITH_AND_WITHOUT_SCRIPTS
from tests.conftest import PASSWORD
from tests.endtoend.conftest import LOGIN, Rollbook, two_districts
from tests.studentfile.reading.conversion.workbooks import xlsx

__all__ = ["two_districts"]

pytestmark = pytest.mark.daily_on("sqlite")

HEADER = "STUDENT_ID,FIRST_NAME,LAST_NAME,DOB,GENDER,GRADE,SCHOOL_ID,ELL,SPECIAL_ED"
NAMES = ("Ana", "Ben", "Cleo", "Dan", "Eva", "Finn", "Gia", "Hal")
ROSTER = "\n".join(
    (HEADER, *(f"{n:05},{name},Brook,5/13/2014,f,5,100,n,n" for n, name in enumerate(NAMES)))
)
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def messy(grade: int, locker: str) -> bytes:
    """Return a workbook as a secretary would have it: titles, blank rows and one mistake."""
    names = ["Student ID", "First Name", "last name", "Birthdate", "GRADE", "Additional Info 1"]
    return xlsx(
        [
            ["Maple High: who moves up"],
            [],
            [*names, "Bus"],
            ["00000", "Ana", "Brook", "5/13/2014", grade, locker, "7"],
            ["00001", "Ben", "Brook", "5/13/2014", grade, None, "9"],
            [],
            ["00002", "Cleo", "Brook", "5/13/2014", "99", None, None],
        ]
    )


@dataclass
class Hand:
    """Clicks on a page, and counts them. To type isn't to click."""

    page: Page
    clicks: int = 0
    uploads: int = 0

    def click(self, place: Locator) -> None:
        place.click()
        self.clicks += 1

    def upload(self, name: str, content: bytes) -> None:
        """Choose a file and send it, which is one click on the button besides the file itself."""
        file = FilePayload(name=name, mimeType=XLSX, buffer=content)
        self.page.get_by_label("Student file").set_input_files(file)
        self.click(self.page.get_by_role("button", name="Check file"))
        self.uploads += 1

    def link(self, name: str) -> None:
        self.click(self.page.get_by_role("link", name=name, exact=True))

    def button(self, name: str) -> None:
        self.click(self.page.get_by_role("button", name=name, exact=True))


@pytest.fixture(scope="module", autouse=True)
def enrolled(rollbook: Rollbook) -> None:
    path = rollbook.data.parent / "roster.csv"
    path.write_text(ROSTER, encoding="utf-8")
    rollbook.run("student", "load", "maple-usd", str(path))


@pytest.fixture
def hand(page: Page) -> Hand:
    """A manager who has signed in and looks at Home."""
    sign_in(page, LOGIN)
    return Hand(page)


def send(rollbook: Rollbook, text: str) -> int:
    """Send a file as a script does, and return the number of its update when it has ended."""
    path = rollbook.data.parent / "sent.csv"
    path.write_text(text, encoding="utf-8")
    answer = rollbook.start_update(path)
    assert answer.status == 200
    rollbook.until_ended()
    return int(answer.text.split()[2])


def student(rollbook: Rollbook, key: str) -> str:
    return rollbook.run("student", "show", "maple-usd", key)


@WITH_AND_WITHOUT_SCRIPTS
def test_a_messy_spreadsheet_is_applied_with_one_upload_and_four_clicks(
    hand: Hand, rollbook: Rollbook, javascript: bool
) -> None:
    grade, locker = (6, "locker 12") if javascript else (7, "locker 31")
    hand.link("Updates")
    hand.link("Upload file")
    hand.upload("who moves up (final) 2.xlsx", messy(grade, locker))
    expect(hand.page.get_by_role("main")).to_contain_text("1 row can’t be applied")
    hand.button("Change 2")
    wait_until_ended(hand.page)
    assert hand.uploads == 1
    assert hand.clicks == 4
    assert locker in student(rollbook, "00000")


@WITH_AND_WITHOUT_SCRIPTS
def test_why_a_row_was_rejected_takes_one_click(hand: Hand, rollbook: Rollbook) -> None:
    number = send(rollbook, "STUDENT_ID,GRADE\n00003,99\n00004,7\n")
    hand.page.goto("/")
    hand.link(f"Fix 1 rejected row of update {number}")
    row = hand.page.get_by_role("row").filter(has=hand.page.get_by_role("link", name="Dan Brook"))
    expect(row).to_contain_text("Use PK, K, T1, 1–13, UG or Adult")
    assert hand.clicks == 1


@WITH_AND_WITHOUT_SCRIPTS
def test_a_student_is_found_by_an_id_without_zeros_with_one_click(hand: Hand) -> None:
    hand.page.goto("/students")
    hand.page.get_by_label("Search students").fill("5")
    hand.button("Search")
    expect(hand.page.get_by_role("link", name="Brook, Finn")).to_be_visible()
    expect(hand.page.get_by_role("link", name="Brook, Gia")).to_have_count(0)
    assert hand.clicks == 1


@WITH_AND_WITHOUT_SCRIPTS
def test_a_nightly_script_runs_after_six_clicks(
    hand: Hand, rollbook: Rollbook, javascript: bool, tmp_path: Path
) -> None:
    hand.link("Automation")
    hand.click(hand.page.get_by_role("link", name="cron"))
    hand.page.get_by_label("Name of the computer").fill(f"night {javascript}")
    hand.page.get_by_label("Your password").fill(PASSWORD)
    hand.button("Create download")
    with hand.page.expect_download() as download:
        hand.link("Download rollbook-nightly.zip")
    with zipfile.ZipFile(io.BytesIO(Path(download.value.path()).read_bytes())) as archive:
        archive.extractall(tmp_path)
    (script,) = tmp_path.rglob("nightly.sh")
    _run_script(script, rollbook)
    if not javascript:
        with hand.page.expect_popup() as popup:
            hand.link("Check in another tab")
        expect(popup.value.get_by_role("main")).to_contain_text("first call received")
    expect(hand.page.locator("#first-call")).to_contain_text(
        "first call received" if javascript else "waiting for the first call"
    )
    assert hand.clicks <= 6


def _run_script(script: Path, rollbook: Rollbook) -> None:
    """Run what was downloaded, beside a file of students, as cron would."""
    (script.parent / "students.csv").write_text("STUDENT_ID,GRADE\n00006,8\n", encoding="utf-8")
    environment = os.environ | {"CURL_CA_BUNDLE": str(rollbook.data / "certificate.pem")}
    done = subprocess.run(
        ["bash", str(script)], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@WITH_AND_WITHOUT_SCRIPTS
def test_six_cells_are_fixed_in_place_with_eight_clicks(
    hand: Hand, rollbook: Rollbook, javascript: bool
) -> None:
    grade = "9" if javascript else "10"
    wrong = "".join(f"{n:05},9{n}\n" for n in range(6))
    number = send(rollbook, f"STUDENT_ID,GRADE\n{wrong}")
    hand.page.goto("/")
    hand.link(f"Fix 6 rejected rows of update {number}")
    hand.link("Fix these rows here")
    for cell in hand.page.get_by_label("Grade", exact=True).all():
        cell.fill(grade)
    hand.button("Apply edited rows")
    wait_until_ended(hand.page)
    assert hand.clicks <= 8
    for n in range(6):
        assert f"GRADE {grade}" in _one_line(student(rollbook, f"{n:05}"))
    hand.page.goto(f"/updates/{number}")
    expect(hand.page.get_by_role("main")).to_contain_text("6 of 6 rejected rows fixed in")


def _one_line(text: str) -> str:
    return " ".join(text.split())
