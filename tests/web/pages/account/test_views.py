"""/account: profile, password, and sessions."""

from datetime import timedelta
from typing import Any

import pytest

from rollbook.accounts.auth import sessions
from rollbook.accounts.auth.throttle import MAX_FAILURES_PER_LOGIN_AND_ADDRESS
from rollbook.accounts.models import AuditEvent, Member, Session
from rollbook.districts.models import School
from tests.accounts.browser import Clock
from tests.conftest import PASSWORD
from tests.web.pages.conftest import SignedIn, Visitor
from tests.web.pages.reading import Page, read

NEW = "plum river candle fox"
AT_WORK = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:144.0) Gecko/20100101 Firefox/144.0"


def facts(page: Page) -> dict[str, str]:
    """Return the names and values of the description list."""
    names, values = (
        [" ".join("".join(item.itertext()).split()) for item in page.main.iter(tag)]
        for tag in ("dt", "dd")
    )
    return dict(zip(names, values, strict=True))


def change(browser: Visitor, old: str = PASSWORD, new: str = NEW, again: str | None = None) -> Any:
    return browser.post(
        "/account/password", {"old": old, "new": new, "again": new if again is None else again}
    )


def other_browser(member: Member, agent: str = AT_WORK) -> Visitor:
    """Sign the member in with another browser."""
    browser = Visitor("198.51.100.20", agent)
    assert browser.sign_in(member).status_code == 302
    return browser


def handle_of(browser: Visitor, member: Member) -> str:
    """Return the handle of the member's session in this browser."""
    return str(
        Session.objects.get(member=member, address=browser.client.defaults["REMOTE_ADDR"]).pk
    )


def test_the_page_shows_the_profile(visitor: SignedIn, manager: Member) -> None:
    page = visitor(manager).read("/account")
    assert (page.title, page.heading) == ("Your account · Rollbook", "Your account")
    assert facts(page) == {
        "Name": "Ana Ruiz",
        "Login": "ops@maple.example",
        "Role": "district manager",
        "District": "Maple USD",
        "Schools": "all schools",
        "Emails about updates": "Every update",
        "Two-step verification": "· off You sign in with your password only.",
        "Tokens": "none; a script with a token doesn’t need your password",
    }


def test_the_schools_are_those_of_the_member(visitor: SignedIn, school_manager: Member) -> None:
    school_manager.schools.add(
        School.objects.get(district=school_manager.district, organization_id="200")
    )
    page = visitor(school_manager).read("/account")
    assert (facts(page)["Role"], facts(page)["Schools"]) == (
        "school manager",
        "School 100, School 200",
    )


def test_an_instructor_has_an_account_too(visitor: SignedIn, instructor: Member) -> None:
    page = visitor(instructor).read("/account")
    assert facts(page)["Schools"] == "School 100"
    assert page.navigation == ["Home", "Students", "Groups", "Help"]


def test_sessions_are_listed_with_browser_and_address_and_this_one_is_marked(
    visitor: SignedIn, manager: Member, clock: Clock
) -> None:
    browser = visitor(manager)
    clock.move(minutes=10)
    other_browser(manager)
    clock.move(minutes=5)
    page = browser.read("/account")
    assert page.rows == [
        [
            "Firefox 145 on Linux",
            "203.0.113.7",
            "Nov 23, 2026, 2:15 AM CST",
            "Nov 23, 2026, 2:00 AM CST",
            "· this browser",
        ],
        [
            "Firefox 144 on Windows",
            "198.51.100.20",
            "Nov 23, 2026, 2:10 AM CST",
            "Nov 23, 2026, 2:10 AM CST",
            "End session of Firefox 144 on Windows, started Nov 23, 2026, 2:10 AM CST",
        ],
    ]


def test_the_page_shows_the_real_limits_of_sessions(visitor: SignedIn, manager: Member) -> None:
    lengths = [sessions.IDLE, sessions.LONGEST]
    assert lengths == [timedelta(minutes=30), timedelta(hours=12)]
    text = visitor(manager).read("/account").text
    assert "A session ends after 30 minutes without a click, and 12 hours after it started." in text


@pytest.mark.statement("S15")
def test_another_session_is_ended_from_the_list(visitor: SignedIn, manager: Member) -> None:
    browser, other = visitor(manager), other_browser(manager)
    page = browser.read("/account")
    action = f"/account/sessions/{handle_of(other, manager)}/end"
    assert action in page.actions
    page = browser.follow(browser.post(action))
    assert page.messages == ["Session ended. That browser has to sign in again."]
    assert len(page.rows) == 1
    assert other.get("/account").status_code == 302
    assert browser.get("/account").status_code == 200
    assert AuditEvent.objects.filter(action="end session", member=manager).count() == 1


def test_ending_a_session_twice_reports_that_it_has_ended(
    visitor: SignedIn, manager: Member
) -> None:
    browser, other = visitor(manager), other_browser(manager)
    action = f"/account/sessions/{handle_of(other, manager)}/end"
    browser.follow(browser.post(action))
    assert browser.follow(browser.post(action)).messages == ["That session had already ended."]


def test_ending_this_session_signs_out(visitor: SignedIn, manager: Member) -> None:
    browser = visitor(manager)
    response = browser.post(f"/account/sessions/{handle_of(browser, manager)}/end")
    assert response["Location"] == "/sign-in"
    assert browser.follow(response).messages == ["You’re signed out."]
    assert browser.get("/account").status_code == 302


@pytest.mark.statement("S15")
def test_all_other_sessions_are_ended_at_once(visitor: SignedIn, manager: Member) -> None:
    browser, others = visitor(manager), [other_browser(manager), other_browser(manager)]
    response = browser.post("/account/sessions/end-others")
    assert browser.follow(response).messages == [
        "2 other sessions ended. You’re only signed in here now."
    ]
    assert [other.get("/account").status_code for other in others] == [302, 302]
    event = AuditEvent.objects.get(action="end session")
    assert (event.member, event.detail) == (manager, "all others: 2")


def test_ending_others_is_not_offered_without_other_sessions(
    visitor: SignedIn, manager: Member
) -> None:
    assert "/account/sessions/end-others" not in visitor(manager).read("/account").actions


def test_sessions_of_the_neighbor_cannot_be_seen_or_ended(
    visitor: SignedIn, manager: Member, neighbor: Member
) -> None:
    theirs, ours = other_browser(neighbor), visitor(manager)
    page = ours.read("/account")
    assert len(page.rows) == 1
    assert "198.51.100.20" not in page.text
    response = ours.post(f"/account/sessions/{handle_of(theirs, neighbor)}/end")
    assert ours.follow(response).messages == ["That session had already ended."]
    ours.post("/account/sessions/end-others")
    assert theirs.get("/account").status_code == 200


def test_sessions_of_a_colleague_cannot_be_ended(
    visitor: SignedIn, manager: Member, school_manager: Member
) -> None:
    theirs, ours = other_browser(school_manager), visitor(manager)
    ours.post(f"/account/sessions/{handle_of(theirs, school_manager)}/end")
    ours.post("/account/sessions/end-others")
    assert theirs.get("/account").status_code == 200


@pytest.mark.parametrize("handle", ["nothing", "%00", "x" * 300, "é"])
def test_an_unknown_handle_ends_nothing(handle: str, visitor: SignedIn, manager: Member) -> None:
    browser = visitor(manager)
    response = browser.post(f"/account/sessions/{handle}/end")
    assert browser.follow(response).messages == ["That session had already ended."]


def test_the_user_agent_is_escaped(visitor: SignedIn, manager: Member) -> None:
    other_browser(manager, "<script>alert(1)</script>")
    response = visitor(manager).get("/account")
    assert "<script>alert" not in response.content.decode()
    assert "<script>alert(1)</script>" in read(response).text


def test_password_managers_recognize_the_form_that_changes_the_password(
    visitor: SignedIn, manager: Member
) -> None:
    browser = visitor(manager)
    page = browser.read(browser.read("/account").links["Change password"])
    assert page.heading == "Change password"
    assert "Scripts that sign in as ops@maple.example need the new password too." in page.text
    fields = {name: field.get("autocomplete") for name, field in page.form().fields.items()}
    assert fields == {
        "old": "current-password",
        "new": "new-password",
        "again": "new-password",
        "csrfmiddlewaretoken": None,
    }
    assert "At least 15 characters" in page.described("new")


def test_a_changed_password_ends_all_other_sessions_and_keeps_this_one(
    visitor: SignedIn, manager: Member
) -> None:
    browser, other, before = visitor(manager), other_browser(manager), Visitor()
    before.client.cookies["__Host-session"] = browser.client.cookies["__Host-session"].value
    response = change(browser)
    assert response["Location"] == "/account"
    assert browser.follow(response).messages == [
        "Password changed. You’ve been signed out everywhere else."
    ]
    assert other.get("/account").status_code == 302
    assert before.get("/account").status_code == 302
    assert Visitor().sign_in(manager, PASSWORD).status_code == 403
    assert Visitor().sign_in(manager, NEW).status_code == 302
    assert AuditEvent.objects.filter(action="set password", member=manager).count() == 1


def test_without_the_current_password_nothing_changes(visitor: SignedIn, manager: Member) -> None:
    browser, other = visitor(manager), other_browser(manager)
    response = change(browser, old="not the old password")
    assert response.status_code == 422
    assert read(response).described("old") == "That isn’t your password. Try again."
    assert other.get("/account").status_code == 200
    assert Visitor().sign_in(manager).status_code == 302


def test_wrong_passwords_count_as_failed_sign_ins(
    visitor: SignedIn, manager: Member, clock: Clock
) -> None:
    browser = visitor(manager)
    for _ in range(MAX_FAILURES_PER_LOGIN_AND_ADDRESS):
        assert change(browser, old="a guess").status_code == 422
    response = change(browser)
    assert (response.status_code, response["Retry-After"]) == (429, "3600")
    page = read(response)
    assert "Try again in 1 h 0 min." in page.text
    assert "Students" in page.navigation
    assert browser.get("/account").status_code == 200


def test_every_policy_violation_is_reported_at_the_field(
    visitor: SignedIn, manager: Member
) -> None:
    response = change(visitor(manager), new="aaaaaaaa")
    assert response.status_code == 422
    text = read(response).described("new")
    assert "It is shorter than 15 characters" in text
    assert "It has fewer than 5 different characters:" in text


def test_passwords_that_differ_are_reported(visitor: SignedIn, manager: Member) -> None:
    response = change(visitor(manager), again=NEW + "!")
    assert response.status_code == 422
    page = read(response)
    assert page.described("again") == "The passwords don’t match. Enter both again."
    assert [page.form().values[name] for name in ("old", "new", "again")] == [[""]] * 3


def test_no_response_contains_a_password(visitor: SignedIn, manager: Member) -> None:
    browser = visitor(manager)
    responses = [
        change(browser, old="not the old password"),
        change(browser, again="something else"),
    ]
    for response in responses:
        for secret in (PASSWORD, NEW, "not the old password", "something else"):
            assert secret not in response.content.decode()
