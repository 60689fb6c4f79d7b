"""/quiet-hours, and what the pages say of an update that waits for their end."""

from datetime import time
from typing import Any

import pytest
from django.utils import timezone

from rollbook.accounts.models import AuditEvent, Member
from rollbook.districts import quiet_hours
from rollbook.districts.models import District
from rollbook.districts.quiet_hours import Window
from rollbook.updates.engine import WorkerStatus
from rollbook.updates.models import UpdateJob
from rollbook.updates.reporting import status_json
from rollbook.updates.state_machine import State
from rollbook.web.pages.home import views as home_views
from tests.updates.night import a_class, enroll, finish, send
from tests.updates.planning.test_quiet import let_be_quiet
from tests.web.conftest import NOW
from tests.web.curl import Curl, text
from tests.web.pages.conftest import SignedIn, Visitor
from tests.web.pages.reading import read


@pytest.fixture
def browser(visitor: SignedIn, manager: Member) -> Visitor:
    return visitor(manager)


@pytest.fixture
def scheduled(maple: District) -> UpdateJob:
    """Update 2, which would change three students when quiet hours end."""
    enroll(maple, a_class(20, GRADE="4"))
    let_be_quiet(maple)
    update = send(maple, a_class(3, GRADE="5"))
    finish(update)
    update.refresh_from_db()
    return update


def save(browser: Visitor, **days: str) -> Any:
    return browser.post("/quiet-hours", days)


def test_they_are_saved_and_shown_again(browser: Visitor, maple: District) -> None:
    page = browser.follow(save(browser, Monday="7:30 am-3:30 pm", Saturday="22:00 to 6:00"))
    assert "Quiet hours saved." in page.text
    assert page.form_with("Monday").values["Monday"] == ["7:30 AM–3:30 PM"]
    assert page.form_with("Monday").values["Saturday"] == ["10:00 PM–6:00 AM"]
    maple.refresh_from_db()
    assert quiet_hours.of_district(maple).windows[0] == Window(time(7, 30), time(15, 30))
    event = AuditEvent.objects.get(action="set quiet hours")
    assert event.detail == "Monday 7:30 AM–3:30 PM, Saturday 10:00 PM–6:00 AM"
    same = page.form_with("Monday").values
    assert "Nothing was changed." in browser.follow(browser.post("/quiet-hours", same)).text


def test_what_is_wrong_is_said_at_its_day_and_nothing_is_saved(
    browser: Visitor, maple: District
) -> None:
    response = save(browser, Monday="7:30 AM", Tuesday="7:30-15:30")
    assert response.status_code == 422
    page = read(response)
    assert "'7:30 AM' has no end; write for example" in page.described("Monday")
    assert page.form_with("Monday").values["Tuesday"] == ["7:30-15:30"]
    maple.refresh_from_db()
    assert maple.quiet_hours == []


def test_the_page_says_whether_it_is_quiet_now(browser: Visitor, maple: District) -> None:
    assert "It is quiet now" not in browser.read("/quiet-hours").text
    let_be_quiet(maple)
    assert "It is quiet now, until " in browser.read("/quiet-hours").text


def test_pages_and_answers_say_when_it_is_applied(
    browser: Visitor, manager: Member, scheduled: UpdateJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (status_json, home_views):
        monkeypatch.setattr(module, "worker_status", lambda: WorkerStatus(alive=True, at=NOW))
    home = browser.read("/")
    assert "Update 2 is checked, and will be applied at " in home.text
    assert "somebody decides" not in home.text
    page = browser.read("/updates/2")
    assert "It is applied at " in page.text
    assert "Apply now: change 3" in page.text
    lines = text(Curl(manager.email).status()).splitlines()
    assert lines[0].startswith("RUNNING update 2: checked; 3 students will change at ")
    assert lines[0].endswith(", when quiet hours end")


def test_it_can_be_applied_on_its_page(browser: Visitor, scheduled: UpdateJob) -> None:
    fields = {"plan": scheduled.plan_digest, "which": "all", "note": ""}
    browser.follow(browser.post("/updates/2/approve", fields))
    assert finish(scheduled).updated == 3


def test_it_can_be_discarded_on_its_page(browser: Visitor, scheduled: UpdateJob) -> None:
    fields = {"plan": scheduled.plan_digest, "note": ""}
    browser.follow(browser.post("/updates/2/discard", fields))
    scheduled.refresh_from_db()
    assert scheduled.state == State.DISCARDED


def test_without_quiet_hours_it_is_due_immediately(browser: Visitor, scheduled: UpdateJob) -> None:
    browser.follow(save(browser, Monday=""))
    scheduled.refresh_from_db()
    assert scheduled.apply_at is not None
    assert scheduled.apply_at <= timezone.now()
