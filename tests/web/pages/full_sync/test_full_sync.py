"""/full-sync, and the list of the students who are missing in a file."""

import csv
import io
from typing import Any

import pytest
from django.utils import timezone

from rollbook.accounts.models import AuditEvent, Member
from rollbook.districts import modes
from rollbook.districts.models import District
from rollbook.districts.modes import Channel
from rollbook.students.models import Student
from rollbook.updates.absences import preview
from rollbook.updates.models import CheckedRange, UpdateJob
from tests.updates.absences.nights import limit, night, row
from tests.web.pages.conftest import SignedIn, Visitor
from tests.web.pages.reading import Page

KEYS = [f"s{number:02}" for number in range(10)]


@pytest.fixture
def browser(visitor: SignedIn, manager: Member) -> Visitor:
    """Return the browser of the district manager."""
    return visitor(manager)


def rows(*without: str) -> list[str]:
    """Return the rows of ten students, of whom two are at school 200."""
    schools = dict.fromkeys(KEYS, "100") | dict.fromkeys(KEYS[8:], "200")
    return [row(key, school) for key, school in schools.items() if key not in without]


def nights(district: District, count: int, *without: str) -> None:
    """Send the file of all students, and then one without some for some nights."""
    night(district, 0, rows())
    for number in range(count):
        night(district, number + 1, rows(*without))


def save(browser: Visitor, **changes: Any) -> Page:
    """Send the form with these changes, and return the page it redirects to."""
    fields = browser.read("/full-sync").form_with("absent_files").values
    return browser.follow(browser.post("/full-sync", fields | changes))


def audited(action: str) -> list[str]:
    events = AuditEvent.objects.filter(action=action).order_by("pk")
    return [f"{event.result}: {event.detail}" for event in events]


def test_full_sync_is_turned_on_for_scripts_only(browser: Visitor, maple: District) -> None:
    page = browser.read("/full-sync")
    assert "It is off." in page.text
    assert "No file has completed yet" in page.text
    page = save(browser, scripts=["update", "sync"], absent_files="4", absent_days="7")
    assert page.messages == ["Full sync settings saved."]
    assert "It is on." in page.text
    maple.refresh_from_db()
    assert modes.allowed_modes(maple, Channel.SCRIPTS) == ("update", "sync")
    assert modes.allowed_modes(maple, Channel.PAGES) == ("update", "add")
    assert (maple.absent_files, maple.absent_days) == (4, 7)
    assert audited("set full sync") == [
        "ok: scripts: update and sync; pages: update and add; the rollbook command: update and "
        "add; missing students deactivated after 4 files and 7 days"
    ]
    assert save(browser).messages == ["Nothing was changed."]


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"absent_files": "1"}, "Enter a whole number from 2 to 30."),
        ({"absent_days": "0"}, "Enter a whole number from 1 to 60."),
        ({"scripts": ["delete"]}, "Choose modes from the list."),
    ],
)
def test_what_is_not_possible_changes_nothing(
    browser: Visitor, maple: District, changes: dict[str, Any], error: str
) -> None:
    fields = browser.read("/full-sync").form_with("absent_files").values
    response = browser.post("/full-sync", fields | changes)
    assert response.status_code == 422
    assert error in response.content.decode()
    maple.refresh_from_db()
    assert (maple.modes, maple.absent_files) == (None, 3)


def test_the_page_first_shows_what_the_last_file_would_have_done(
    browser: Visitor, maple: District
) -> None:
    nights(maple, 1, "s00", "s08", "s09")
    text = browser.read("/full-sync").text
    assert "names all but 3 of your 10 active students" in text
    assert "1 would have been counted as missing" in text
    assert "no row for this school; nobody is counted" in text
    found = preview.of_last_file(maple)
    assert found
    assert [(school.unnamed, school.has_rows) for school in found.schools] == [
        (1, True),
        (2, False),
    ]


def test_a_last_file_that_is_damaged_shows_nothing(browser: Visitor, maple: District) -> None:
    nights(maple, 1, "s00")
    CheckedRange.objects.filter(update__manifest__district=maple).update(checksum=b"")
    assert preview.of_last_file(maple) is None
    assert "active students" not in browser.read("/full-sync").text


def test_a_file_of_a_few_students_would_have_counted_nobody(
    browser: Visitor, maple: District
) -> None:
    nights(maple, 1, *KEYS[:6])
    text = browser.read("/full-sync").text
    assert "That’s less than half of them" in text
    found = preview.of_last_file(maple)
    assert found
    assert (found.unnamed, found.missing) == (6, 0)


def test_a_report_lists_who_is_missing_and_offers_the_list(
    browser: Visitor, maple: District
) -> None:
    nights(maple, 3, "s00", "s01")
    page = browser.read("/updates/4")
    assert "2 deactivated" in page.text
    assert "Missing students, 2" in page.text
    page = browser.read("/updates/4/missing")
    assert "2 active students aren’t in the file" in page.text
    assert page.text.count("deactivated") >= 2
    response = browser.get("/updates/4/missing.csv")
    text = b"".join(response.streaming_content).decode()
    header, *lines = csv.reader(io.StringIO(text))
    assert header[-2:] == ["FILES_MISSING", "RESULT"]
    assert [(line[0], *line[-3:]) for line in lines] == [
        ("s00", "inactive", "3", "deactivated"),
        ("s01", "inactive", "3", "deactivated"),
    ]
    page = browser.read("/updates/3/missing")
    assert "missing" in page.text
    page = browser.follow(browser.post("/updates/4/rows", {"outcome": "deactivated"}))
    assert "2 rows match" in page.text
    page = browser.follow(browser.post("/updates/4/rows", {"search": "s01"}))
    assert "deactivated" in page.text
    assert "1,000,000,00" not in page.text


def test_the_list_says_who_is_due_in_a_held_plan(browser: Visitor, maple: District) -> None:
    limit(maple, 0)
    nights(maple, 3, "s00")
    assert "s00" in browser.read("/updates/4/missing").text
    assert "due" in browser.read("/updates/4/missing").text
    page = browser.read("/updates/4")
    assert "deactivate" in page.text


def test_an_update_in_another_mode_has_an_empty_list(browser: Visitor, maple: District) -> None:
    nights(maple, 0)
    assert "No students are missing" in browser.read("/updates/1/missing").text


def test_a_student_page_says_since_when_files_do_not_name_the_student(
    browser: Visitor, maple: District
) -> None:
    nights(maple, 2, "s00")
    address = f"/students/{Student.objects.get(student_id='s00').pk}"
    assert "Missing in 2 files since Sep 2, 2026." in browser.read(address).text
    night(maple, 3, rows("s00"))
    text = browser.read(address).text
    assert "Deactivated because files no longer named this student, from Sep 2, 2026 on." in text


def test_home_says_how_many_students_were_deactivated(browser: Visitor, maple: District) -> None:
    nights(maple, 3, "s00", "s01")
    UpdateJob.objects.update(received_at=timezone.now())
    text = browser.read("/").text
    assert "none of 8 students changed, 2 deactivated. 2 students are missing in the file." in text
