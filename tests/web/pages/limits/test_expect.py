"""Expecting changes on /limits, and the notice about it."""

from datetime import timedelta
from typing import Any

import pytest
from django.template import Context, Template
from django.test import RequestFactory
from django.utils import timezone

from rollbook.accounts.models import AccountMail, AuditEvent, Member
from rollbook.districts.local_dates import local_date, local_midnight
from rollbook.districts.models import District
from rollbook.updates.models import Expectation
from rollbook.updates.planning import expectations
from rollbook.updates.planning.expectations import Wanted
from rollbook.web.pages.base.view import PageRequest
from tests.accounts.browser import Clock
from tests.conftest import make_member
from tests.web.pages.conftest import SignedIn, Visitor
from tests.web.pages.reading import read


@pytest.fixture
def browser(visitor: SignedIn, manager: Member) -> Visitor:
    """Return the browser of the district manager."""
    return visitor(manager)


def audited() -> list[str]:
    actions = (expectations.ACTION, expectations.END_ACTION)
    events = AuditEvent.objects.filter(action__in=actions).order_by("pk")
    return [f"{event.action}: {event.result}: {event.detail}" for event in events]


def test_changes_are_expected_and_ended(browser: Visitor, maple: District, manager: Member) -> None:
    colleague = make_member(maple, "ana@maple.example")
    day = local_date(maple, timezone.now()) + timedelta(days=2)
    fields = {"columns": ["GRADE", "STUDENT_ADDED"], "until": day.isoformat()}
    page = browser.follow(browser.post("/limits/expect", fields))
    stored = Expectation.objects.get()
    assert (stored.columns, stored.member) == (["GRADE", "STUDENT_ADDED"], manager)
    assert stored.until == local_midnight(maple, day + timedelta(days=1))
    words = expectations.describe(stored)
    assert page.messages == [f"Changes expected: {words}."]
    assert AccountMail.objects.get(notice="settings changed").member == colleague
    for address in ("/", "/updates", "/students/update"):
        assert f"don’t count toward the limits: {words}." in browser.read(address).text
    page = browser.follow(browser.post(f"/limits/expect/{stored.pk}/end"))
    assert page.messages == [f"No longer expected: {words}."]
    assert "No changes are expected now." in page.text
    assert browser.post(f"/limits/expect/{stored.pk}/end").status_code == 404
    assert audited() == [
        f"expect changes: ok: {words}",
        f"end expected changes: ok: {words}",
        f"end expected changes: not found: expectation {stored.pk}",
    ]


def test_changes_are_expected_in_the_next_update(browser: Visitor, maple: District) -> None:
    browser.follow(browser.post("/limits/expect", {"columns": "GRADE", "until": "next"}))
    stored = Expectation.objects.get()
    assert stored.is_for_one_update
    assert stored.until - stored.created_at == timedelta(days=7)


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"until": "next"}, "Choose at least one of these."),
        ({"columns": "SHOE_SIZE", "until": "next"}, "Choose at least one of these."),
        ({"columns": "a\0b", "until": "next"}, "Choose at least one of these."),
        ({"columns": "GRADE"}, "Choose one from the list."),
        ({"columns": "GRADE", "until": "2020-01-01"}, "Choose one from the list."),
        ({"columns": "GRADE", "until": "2999-01-01"}, "Choose one from the list."),
    ],
)
def test_what_cannot_be_expected_is_refused(
    browser: Visitor, maple: District, fields: dict[str, Any], error: str
) -> None:
    browser.read("/limits")
    response = browser.post("/limits/expect", fields)
    assert response.status_code == 422
    assert error in read(response).text
    assert Expectation.objects.count() == 0


def test_there_are_at_most_twenty(browser: Visitor, maple: District) -> None:
    now = timezone.now()
    for _ in range(20):
        wanted = Wanted(("GRADE",), now + timedelta(days=1))
        expectations.expect(maple, wanted, None, now)
    response = browser.post("/limits/expect", {"columns": "GRADE", "until": "next"})
    assert response.status_code == 422
    assert "There are 20 expectations already; end one first." in read(response).text


def test_the_password_is_asked_again_first(clock: Clock, browser: Visitor, maple: District) -> None:
    clock.move(minutes=20)
    browser.read("/limits")
    clock.move(minutes=20)
    response = browser.post("/limits/expect", {"columns": "GRADE", "until": "next"})
    assert (response.status_code, read(response).heading) == (403, "Confirm that it’s you")
    assert Expectation.objects.count() == 0


@pytest.mark.parametrize(
    ("role", "link"),
    [("district manager", '<a href="/limits">limits</a>'), ("instructor", "")],
)
def test_the_notice_is_for_those_who_update_students(
    maple: District, cedar: District, role: str, link: str
) -> None:
    now = timezone.now()
    wanted = Wanted(("GRADE", "SCHOOL_ID"), now + timedelta(days=1))
    stored = expectations.expect(maple, wanted, None, now)
    expectations.expect(cedar, Wanted(("DOB",), now + timedelta(days=1)), None, now)
    member = make_member(maple, "someone@maple.example", role)
    page_request = PageRequest(RequestFactory().get("/"), member, timezone.now())
    template = Template("{% load limits %}{% expected_changes %}")
    text = template.render(Context({"page_request": page_request}))
    words = expectations.describe(stored)
    assert link in text
    assert (words in text) == bool(link)
    assert "DOB" not in text
