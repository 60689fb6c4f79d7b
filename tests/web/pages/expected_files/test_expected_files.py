"""/expected-files and the notice on Home: by when files are expected, and pauses."""

from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from django.utils import timezone

from rollbook.accounts.models import AuditEvent, Member
from rollbook.districts import schedules
from rollbook.districts.file_schedule import Pause
from rollbook.districts.local_dates import local_date
from rollbook.districts.models import District, FileSchedule, MissedFile
from rollbook.districts.schedules import ScheduleSettings
from tests.updates.night import a_class, enroll, finish, send
from tests.web.pages.conftest import SignedIn, Visitor
from tests.web.pages.reading import Page, read

EVERY_DAY = ScheduleSettings((time(0, 1),) * 7, grace_minutes=0)


@pytest.fixture
def browser(visitor: SignedIn, manager: Member) -> Visitor:
    """Return the browser of the district manager."""
    return visitor(manager)


def save(browser: Visitor, **changes: Any) -> Page:
    """Send the form of the week with these changes, and return the page it redirects to."""
    fields = browser.read("/expected-files").form_with("Monday").values
    return browser.follow(browser.post("/expected-files", fields | changes))


def audited(action: str) -> list[str]:
    events = AuditEvent.objects.filter(action=action).order_by("pk")
    return [f"{event.result}: {event.detail}" for event in events]


def make_due(district: District, now: datetime) -> None:
    """Let files be expected every day since last week."""
    schedules.save(district, EVERY_DAY, now)
    FileSchedule.objects.update(since=now - timedelta(days=7))


def test_times_are_saved_and_shown_again(browser: Visitor, maple: District) -> None:
    assert schedules.find(maple) is None
    page = save(browser, Monday="06:00", Friday="18:30", grace_minutes="45", needs_half="")
    assert "Expected files saved." in page.text
    assert "Next file expected by " in page.text
    settings = schedules.settings_of(maple)
    assert settings.times == (time(6), None, None, None, time(18, 30), None, None)
    assert settings.grace_minutes == 45
    assert page.form_with("Monday").values["Friday"] == ["18:30"]
    assert audited("set expected files") == [
        "ok: Monday 6:00 AM, Friday 6:30 PM; 45 min grace; any file"
    ]
    assert "Nothing was changed." in save(browser).text
    assert "Expected files saved." in save(browser, Monday="", Friday="").text
    assert schedules.find(maple) is None


@pytest.mark.parametrize(
    ("changes", "field", "error"),
    [
        ({"Monday": "6"}, "Monday", "'6' isn't a time; write for example 6:00 AM or 18:30."),
        ({"Monday": "25:00"}, "Monday", "'25:00' isn't a time"),
        ({"grace_minutes": "721"}, "grace_minutes", "Enter a whole number from 0 to 720."),
        ({"grace_minutes": ""}, "grace_minutes", "Enter a whole number from 0 to 720."),
    ],
)
def test_what_cannot_be_a_time_is_refused_at_its_field(
    browser: Visitor, maple: District, changes: dict[str, str], field: str, error: str
) -> None:
    fields = browser.read("/expected-files").form_with("Monday").values
    response = browser.post("/expected-files", fields | {"Tuesday": "06:00"} | changes)
    assert response.status_code == 422
    assert error in read(response).described(field)
    assert schedules.find(maple) is None


def test_pauses_are_added_and_removed(browser: Visitor, maple: District) -> None:
    today = local_date(maple, timezone.now())
    first, last = today + timedelta(days=1), today + timedelta(days=14)
    days = {"first": first.isoformat(), "last": last.isoformat()}
    page = browser.follow(browser.post("/expected-files/pauses", days))
    assert "Pause added:" in page.text
    assert schedules.pauses_of(maple) == [Pause(first, last)]
    again = browser.post("/expected-files/pauses", days)
    assert again.status_code == 422
    assert "It overlaps the pause from" in read(again).text
    page = browser.follow(browser.confirm("/expected-files/pauses/remove", days))
    assert "removed." in page.text
    page = browser.follow(browser.post("/expected-files/pauses/remove", days))
    assert "There is no such pause" in page.text
    assert schedules.pauses_of(maple) == []
    assert audited("add pause") == [f"ok: {first} to {last}"]
    assert audited("remove pause") == [f"ok: {first} to {last}", "not found: "]


@pytest.mark.parametrize(
    ("first", "last", "error"),
    [
        ("", "2099-01-01", "Enter a date."),
        ("soon", "2099-01-01", "Enter a date such as 2026-12-21."),
        ("2099-01-02", "2099-01-01", "The last day is before the first day."),
        ("2020-01-01", "2020-01-02", "The pause is over; today is"),
    ],
)
def test_a_pause_that_makes_no_sense_is_refused(
    browser: Visitor, maple: District, first: str, last: str, error: str
) -> None:
    response = browser.post("/expected-files/pauses", {"first": first, "last": last})
    assert response.status_code == 422
    assert error in read(response).text
    assert schedules.pauses_of(maple) == []


def test_home_says_first_that_a_file_is_missing_whatever_the_last_update_was(
    browser: Visitor, maple: District
) -> None:
    enroll(maple, a_class(10))
    now = timezone.now()
    make_due(maple, now)
    MissedFile.objects.create(
        district=maple,
        day=date(2026, 11, 2),
        expected_at=now,
        previous_at=now,
        noticed_at=now,
    )
    finish(send(maple, a_class(2, GRADE="7")))  # a small file that was tried by hand
    page = browser.read("/")
    assert "No complete student file arrived by" in page.text
    assert "Next file expected by" in page.text
    finish(send(maple, a_class(10, GRADE="8")))
    assert "No complete student file arrived" not in browser.read("/").text


def test_home_shows_the_next_file_also_during_a_pause(browser: Visitor, maple: District) -> None:
    now = timezone.now()
    make_due(maple, now)
    today = local_date(maple, now)
    schedules.add_pause(maple, Pause(today, today), now)
    text = browser.read("/").text
    assert "No file is expected today." in text
    assert "Next file expected by" in text


def test_without_a_schedule_home_says_nothing_about_expected_files(browser: Visitor) -> None:
    assert "expected" not in browser.read("/").text
