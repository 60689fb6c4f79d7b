"""/limits: the table of limits, trying them, profiles, and versions."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.utils import timezone

from rollbook.accounts.auth import sessions
from rollbook.accounts.models import AccountMail, AuditEvent, Member
from rollbook.districts.local_dates import local_date
from rollbook.districts.models import District
from rollbook.updates.models import LimitSet
from rollbook.updates.planning import limit_changes, limit_sets
from rollbook.updates.planning.limit_document import LimitDocument, Profile, WhenExceeded
from rollbook.updates.planning.limits import DEFAULT_LIMITS, Limit, Limits
from tests.accounts.browser import Clock
from tests.conftest import PASSWORD, make_member
from tests.updates.night import a_class, enroll, run
from tests.web.pages.conftest import SignedIn, Visitor
from tests.web.pages.reading import Page, read

JUNE = {"name": "rollover", "first": "2027-06-01", "last": "2027-07-15"}


@pytest.fixture
def browser(visitor: SignedIn, manager: Member) -> Visitor:
    """Return the browser of the district manager."""
    return visitor(manager)


def values(browser: Visitor, address: str = "/limits") -> dict[str, Any]:
    """Return what the form of limits sends unchanged."""
    return browser.read(address).form_with("added-district-percent").values


def send(browser: Visitor, address: str = "/limits", do: str = "save", **changes: Any) -> Any:
    """Send the form with these changes; ``added_district_count`` is added-district-count."""
    named = {name.replace("_district_", "-district-"): value for name, value in changes.items()}
    named = {name.replace("_school_", "-school-"): value for name, value in named.items()}
    return browser.post(address, {**values(browser, address), **named, "do": do})


def save(browser: Visitor, address: str = "/limits", **changes: Any) -> Page:
    return browser.follow(send(browser, address, **changes))


def document_of(district: District) -> LimitDocument:
    return limit_sets.find_current(district.pk).document


def audited() -> list[str]:
    events = AuditEvent.objects.filter(action="change limits").order_by("pk")
    return [f"{event.result}: {event.detail}" for event in events]


def test_settings_link_to_the_default_limits(browser: Visitor) -> None:
    settings = browser.read("/settings")
    assert settings.links["How much an update may change by itself"] == "/limits"
    fields = values(browser)
    assert fields["deactivated-district-percent"] == ["10"]
    assert fields["deactivated-school-count"] == ["15"]
    assert fields["when_exceeded"] == ["hold"]
    assert fields["discard_after_hours"] == ["72"]
    assert "second_person" not in fields
    assert "unknown-school-count" not in fields


def test_sending_the_form_unchanged_changes_nothing(browser: Visitor, maple: District) -> None:
    assert save(browser).messages == ["No limits were changed."]
    assert (audited(), LimitSet.objects.count()) == ([], 0)


def test_limits_are_saved_audited_and_reported_to_the_other_managers(
    browser: Visitor, maple: District, manager: Member
) -> None:
    colleague = make_member(maple, "ana@maple.example")
    page = save(
        browser,
        added_district_percent="60",
        added_district_count="2000",
        emptied_school_percent="",
        emptied_school_count="",
        when_exceeded="hold schools",
        discard_after_hours="24",
        second_person="on",
    )
    assert page.messages == ["Limits saved. This is version 1."]
    stored = document_of(maple)
    assert stored.limits.district["added"] == Limit(60, 2000)
    assert stored.limits.school.keys() == DEFAULT_LIMITS.school.keys() - {"emptied"}
    assert stored.when_exceeded is WhenExceeded.HOLD_SCHOOLS
    assert (stored.discard_after_hours, stored.second_person) == (24, True)
    detail = (
        "limits, version 1: added district: 25% and 100 → 60% and 2,000; emptied school: 20% and "
        "20 → no limit; when exceeded: hold → hold schools; plans discarded after 72 → 24 hours; "
    )
    assert audited()[0].startswith(f"ok: {detail}"[:190])
    mail = AccountMail.objects.get(notice_about=None, notice="settings changed")
    assert (mail.member, mail.actor) == (colleague, manager)
    assert mail.notice_detail.startswith(detail[:190])
    fields = values(browser)
    assert (fields["added-district-count"], fields["emptied-school-count"]) == (["2000"], [""])


@pytest.mark.parametrize(
    ("field", "value", "error"),
    [
        ("added-district-percent", "101", "Enter a whole number from 0 to 100."),
        ("added-district-percent", "-1", "Enter a whole number from 0 to 100."),
        ("added-district-percent", "ten", "Enter a whole number from 0 to 100."),
        ("added-district-percent", "9" * 5000, "Enter a whole number from 0 to 100."),
        ("added-school-count", "10000001", "Enter a whole number from 0 to 10,000,000."),
        ("added-school-count", "", "Enter both numbers, or leave both empty for no limit."),
        ("rejected-school-count", "19", "Enter a whole number from 20 to 10,000,000."),
        ("discard_after_hours", "0", "Enter a whole number from 1 to 336."),
        ("discard_after_hours", "", "Enter a whole number from 1 to 336."),
    ],
)
@pytest.mark.parametrize("do", ["save", "try"])
def test_what_is_no_limit_is_refused_at_its_field(
    browser: Visitor, maple: District, do: str, field: str, value: str, error: str
) -> None:
    response = browser.post("/limits", {**values(browser), field: value, "do": do})
    assert response.status_code == 422
    assert error in read(response).described(field)
    assert LimitSet.objects.count() == 0


@pytest.mark.parametrize(
    ("field", "value", "error"),
    [
        ("when_exceeded", "apply", "Choose one of these."),
        ("version", "", "The form is incomplete; open the page again."),
        ("version", "x", "The form is incomplete; open the page again."),
    ],
)
def test_a_form_that_was_tampered_with_is_refused(
    browser: Visitor, maple: District, field: str, value: str, error: str
) -> None:
    response = browser.post("/limits", {**values(browser), field: value})
    assert response.status_code == 422
    assert error in read(response).text
    assert LimitSet.objects.count() == 0


def test_a_form_without_its_token_is_refused(browser: Visitor, maple: District) -> None:
    for address in ("/limits", "/limits/profiles/new", "/limits/expect"):
        response = browser.post(address, {**values(browser), "csrfmiddlewaretoken": "no"})
        assert response.status_code == 403
    assert LimitSet.objects.count() == 0


def test_of_two_people_who_edit_at_once_the_second_is_refused(
    browser: Visitor, maple: District, manager: Member
) -> None:
    edited = {**values(browser), "discard_after_hours": "5"}
    other = LimitDocument(second_person=True)
    limit_changes.change(maple, other, manager, timezone.now())
    response = browser.post("/limits", edited)
    assert response.status_code == 422
    page = read(response)
    assert "Somebody saved version 1 of the limits meanwhile; open the page again" in page.text
    assert page.form_with("discard_after_hours").values["discard_after_hours"] == ["5"]
    assert document_of(maple) == other
    assert audited() == ["refused: changed meanwhile"]


def test_the_password_is_asked_again_to_save_but_not_to_try(
    clock: Clock, browser: Visitor, maple: District
) -> None:
    fields = {**values(browser), "discard_after_hours": "5"}
    clock.move(minutes=20)
    browser.read("/limits")
    clock.move(minutes=20)
    assert browser.post("/limits", {**fields, "do": "try"}).status_code == 200
    response = browser.post("/limits", {**fields, "do": "save"})
    assert (response.status_code, read(response).heading) == (403, "Confirm that it’s you")
    assert LimitSet.objects.count() == 0
    kept = read(response).form_with("confirmation").values
    page = browser.follow(browser.post("/limits", {**kept, "confirmation": PASSWORD}))
    assert page.messages == ["Limits saved. This is version 1."]
    assert document_of(maple).discard_after_hours == 5
    assert timedelta(minutes=30) >= sessions.PROOF_LIFETIME


def test_limits_are_tried_on_past_updates_before_they_are_saved(
    browser: Visitor, maple: District
) -> None:
    response = send(browser, do="try")
    assert response.status_code == 200
    assert "There is no update of the last 400 days to try these limits on." in read(response).text
    enroll(maple, a_class(40))
    run(maple, a_class(6, GRADE="9"))
    response = send(browser, do="try", changed_district_percent="0", changed_district_count="5")
    assert response.status_code == 200
    page = read(response)
    assert (
        "Of 2 updates in the last 400 days, 1 would have been held with these limits; none were "
        "held then. Nothing was saved."
    ) in page.text
    assert page.links["Update #2"] == "/updates/2"
    assert "6 of 40 students would change (15 %; the limit is 0 % and 5)" in page.text
    fields = page.form_with("added-district-percent").values
    assert fields["changed-district-count"] == ["5"]
    assert LimitSet.objects.count() == 0


def test_profiles_are_added_changed_and_removed(browser: Visitor, maple: District) -> None:
    page = save(browser, "/limits/profiles/new", **JUNE, changed_district_percent="100")
    assert page.messages == ["Profile saved: rollover. This is version 1."]
    (profile,) = document_of(maple).profiles
    assert (profile.name, profile.first) == ("rollover", date(2027, 6, 1))
    assert profile.limits.district["changed"] == Limit(100, 100)
    assert page.links["rollover"] == "/limits/profiles/1"
    page = save(browser, "/limits/profiles/1", name="Rollover 2027", last="2027-07-20")
    (profile,) = document_of(maple).profiles
    assert (profile.name, profile.last) == ("Rollover 2027", date(2027, 7, 20))
    page = save(browser, discard_after_hours="5")
    assert document_of(maple).profiles == (profile,)
    form = page.form("/limits/profiles/1/remove")
    page = browser.follow(browser.confirm("/limits/profiles/1/remove", form.values))
    assert page.messages == ["Profile removed: Rollover 2027. This is version 4."]
    assert document_of(maple).profiles == ()
    assert browser.get("/limits/profiles/1").status_code == 404
    assert [text.partition(": ")[2] for text in audited()] == [
        "limits, version 1: profile rollover added, 2027-06-01 to 2027-07-15",
        "limits, version 2: profile rollover removed; profile Rollover 2027 added, 2027-06-01 to "
        "2027-07-20",
        "limits, version 3: plans discarded after 72 → 5 hours",
        "limits, version 4: profile Rollover 2027 removed",
    ]


def test_a_profile_is_not_removed_by_an_older_page(browser: Visitor, maple: District) -> None:
    save(browser, "/limits/profiles/new", **JUNE)
    page = browser.follow(browser.confirm("/limits/profiles/1/remove", {"version": "0"}))
    assert "The profile wasn’t removed: somebody saved version 1" in page.messages[0]
    page = browser.follow(browser.post("/limits/profiles/1/remove", {}))
    assert page.messages == ["The profile wasn’t removed. Try again on this page."]
    assert len(document_of(maple).profiles) == 1


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"last": "2027-05-31"}, "ends on 2027-05-31, before it begins on 2027-06-01"),
        ({"first": ""}, "Enter a date."),
        ({"first": "June"}, "Enter a date such as 2027-06-30."),
        ({"name": ""}, "Enter a name."),
        ({"name": "x" * 61}, "Enter at most 60 characters."),
        ({"name": "a\u200bb"}, "A profile needs a name of at most 60 characters, on one line."),
        ({"name": "SUMMER"}, "Two profiles are called 'summer'; rename one of them."),
        ({"added-district-count": "x"}, "Enter a whole number from 0 to 10,000,000."),
    ],
)
def test_a_profile_that_is_not_possible_is_refused(
    browser: Visitor, maple: District, changes: dict[str, str], error: str
) -> None:
    day = date(2027, 8, 1)
    summer = LimitDocument(profiles=(Profile("summer", day, day, DEFAULT_LIMITS),))
    limit_changes.change(maple, summer, None, timezone.now())
    fields = {**values(browser, "/limits/profiles/new"), **JUNE, **changes}
    response = browser.post("/limits/profiles/new", fields)
    assert response.status_code == 422
    assert error in read(response).text
    assert document_of(maple) == summer


def test_there_are_at_most_twenty_profiles(browser: Visitor, maple: District) -> None:
    day = date(2027, 8, 1)
    profiles = tuple(Profile(f"p{number}", day, day, DEFAULT_LIMITS) for number in range(20))
    limit_changes.change(maple, LimitDocument(profiles=profiles), None, timezone.now())
    response = send(browser, "/limits/profiles/new", **JUNE)
    assert response.status_code == 422
    assert "There are 20 profiles already; remove one first." in read(response).text


def test_the_limits_of_a_profile_are_tried_whatever_its_days(
    browser: Visitor, maple: District
) -> None:
    enroll(maple, a_class(40))
    run(maple, a_class(6, GRADE="9"))
    strict = {"changed_district_percent": "0", "changed_district_count": "5"}
    response = send(browser, "/limits/profiles/new", do="try", **JUNE, **strict)
    assert response.status_code == 200
    page = read(response)
    assert "1 would have been held with these limits" in page.text
    assert page.form_with("first").values["first"] == ["2027-06-01"]
    assert LimitSet.objects.count() == 0


def test_the_page_says_which_profile_applies_today(browser: Visitor, maple: District) -> None:
    today = local_date(maple, timezone.now())
    profile = Profile("rollover", today, today, DEFAULT_LIMITS)
    limit_changes.change(maple, LimitDocument(profiles=(profile,)), None, timezone.now())
    assert "Today the limits of the profile rollover apply" in browser.read("/limits").text


def test_each_version_can_be_read(browser: Visitor, maple: District, manager: Member) -> None:
    profile = Profile("rollover", date(2027, 6, 1), date(2027, 7, 15), Limits({}, {}))
    first = LimitDocument(Limits({"added": Limit(5, 7)}, {}), (profile,), second_person=True)
    limit_changes.change(maple, first, None, timezone.now())
    limit_changes.change(maple, LimitDocument(), manager, timezone.now())
    page = browser.read("/limits")
    assert page.links["Version 1"] == "/limits/versions/1"
    assert manager.name in page.text
    page = browser.read("/limits/versions/1")
    assert page.heading == "Limits, version 1"
    assert "by your Rollbook administrator" in page.text
    assert ["Students added", "5% and 7", "no limit"] in page.rows
    assert "rollover, Jun 1, 2027 to Jul 15, 2027" in page.text
    assert browser.get("/limits/versions/3").status_code == 404
    assert browser.get(f"/limits/versions/{10**30}").status_code == 404
