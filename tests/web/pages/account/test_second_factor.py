"""/account/second-factor and /sign-in/code: turn two-step verification on and off, and use it."""

import logging
import re
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from rollbook.accounts import mails
from rollbook.accounts.auth import emailed_links, second_factor, sessions
from rollbook.accounts.auth.throttle import (
    MAX_CODE_FAILURES_PER_LOGIN,
    MAX_FAILURES_PER_LOGIN_AND_ADDRESS,
)
from rollbook.accounts.models import (
    AccountMailKind,
    AuditEvent,
    Member,
    RecoveryCode,
    SecondFactor,
    Session,
    Token,
)
from rollbook.districts.models import District
from rollbook.urls import urlpatterns
from tests.accounts.browser import Clock
from tests.accounts.phone import Phone, TwoStepSetup, with_second_factor
from tests.conftest import PASSWORD
from tests.web.pages.conftest import SignedIn, Visitor
from tests.web.pages.reading import Page, read

PAGE = "/account/second-factor"


@pytest.fixture
def kept(manager: Member, clock: Clock) -> TwoStepSetup:
    """Turn on two-step verification for the manager, a minute ago."""
    kept = with_second_factor(manager)
    clock.move(minutes=1)
    return kept


def pending_browser(member: Member, browser: Visitor | None = None, **query: str) -> Visitor:
    """Return a browser in which the right password has been entered."""
    browser = browser or Visitor()
    response = browser.sign_in(member, **query)
    assert response["Location"].partition("?")[0] == "/sign-in/code"
    return browser


def signed_in_browser(member: Member, kept: TwoStepSetup) -> Visitor:
    browser = pending_browser(member)
    assert (
        browser.post("/sign-in/code", {"code": kept.phone.code(timezone.now())})["Location"] == "/"
    )
    return browser


def blocks(page: Page) -> list[str]:
    """Return the texts of the page that can be copied."""
    return ["".join(block.itertext()).strip() for block in page.main.iter("pre")]


def phone_of(page: Page) -> Phone:
    return Phone.with_secret(blocks(page)[0])


def turn_on(browser: Visitor, password: str = PASSWORD, code: str | None = None) -> Any:
    phone = phone_of(browser.read(PAGE))
    return browser.post(
        PAGE, {"password": password, "code": phone.code(timezone.now()) if code is None else code}
    )


# --- Turning it on


def test_the_account_page_shows_that_it_is_off_and_links_to_it(
    visitor: SignedIn, manager: Member
) -> None:
    browser = visitor(manager)
    page = browser.read("/account")
    assert "· off You sign in with your password only." in page.text
    page = browser.read(page.links["Two-step verification"])
    assert page.heading == "Turn on two-step verification"
    fields = page.form().fields
    assert (fields["code"]["autocomplete"], fields["password"]["autocomplete"]) == (
        "one-time-code",
        "current-password",
    )


def test_the_secret_stays_the_same_in_a_session_until_it_is_used(
    visitor: SignedIn, manager: Member
) -> None:
    browser, other = visitor(manager), visitor(manager)
    phones = [
        phone_of(browser.read(PAGE)),
        phone_of(browser.read(PAGE)),
        phone_of(other.read(PAGE)),
    ]
    assert phones[0] == phones[1]
    assert phones[0] != phones[2]


def test_the_qr_code_is_an_svg_without_styles_or_scripts(
    visitor: SignedIn, manager: Member
) -> None:
    browser = visitor(manager)
    page = browser.read(PAGE)
    (image,) = page.main.iter("img")
    assert (image.attrib["src"], image.attrib["alt"] != "") == (f"{PAGE}/qr.svg", True)
    answer = browser.get(f"{PAGE}/qr.svg")
    assert (answer.status_code, answer["Content-Type"]) == (200, "image/svg+xml")
    assert "no-store" in answer["Cache-Control"]
    picture = answer.content.decode()
    assert picture.startswith("<?xml")
    for word in ("style", "script", "href"):
        assert word not in picture
    assert browser.get(f"{PAGE}/qr.svg").content == answer.content


def test_a_code_and_the_password_turn_it_on_and_show_the_secrets_once(
    visitor: SignedIn, manager: Member, clock: Clock
) -> None:
    browser, other = visitor(manager), visitor(manager)
    response = turn_on(browser)
    assert response.status_code == 200
    assert "no-store" in response["Cache-Control"]
    page = read(response)
    assert page.heading == "Save your recovery codes"
    codes, header, command = blocks(page)
    assert len(codes.split()) == RecoveryCode.objects.count() == 10
    assert re.fullmatch(r"Authorization: Bearer rb_\w{40}", header)
    assert command == "curl -H @token.txt -X POST https://localhost:8443/slc/studentupdate/status"
    token = header.removeprefix("Authorization: Bearer ")
    answer = Client().post(
        "/slc/studentupdate/status", secure=True, HTTP_AUTHORIZATION=f"Bearer {token}"
    )
    assert answer.content.decode().startswith("NONE")
    assert browser.get("/account").status_code == 200
    assert other.get("/account").status_code == 302
    event = AuditEvent.objects.get(action="two-step verification on")
    assert (event.member, event.result, event.detail) == (manager, "ok", "with a token for scripts")
    shown_again = browser.read(PAGE)
    assert shown_again.heading == "Two-step verification"
    assert "You have 10 recovery codes left" in shown_again.text
    for secret in (*codes.split(), token):
        assert secret not in shown_again.response.content.decode()


def test_a_member_with_a_token_does_not_get_another_one(
    visitor: SignedIn, manager: Member, clock: Clock
) -> None:
    with_second_factor(manager)
    second_factor.turn_off(manager, clock.now)
    page = read(turn_on(visitor(manager)))
    assert len(blocks(page)) == 1
    assert "token" not in page.text
    assert Token.objects.count() == 1


def test_tokens_are_not_mentioned_without_the_permission_to_update_students(
    visitor: SignedIn, instructor: Member
) -> None:
    browser = visitor(instructor)
    assert "token" not in browser.read(PAGE).text
    assert "token" not in read(turn_on(browser)).text
    assert "Tokens" not in browser.read("/account").links


def test_both_emails_are_sent(
    visitor: SignedIn, manager: Member, mailoutbox: list[Any], clock: Clock
) -> None:
    turn_on(visitor(manager))
    mails.send_due()
    assert {sent.subject for sent in mailoutbox} == {
        "Two-step verification for Rollbook was turned on · Maple USD",
        "A Rollbook token was created · Maple USD",
    }


@pytest.mark.statement("S10")
def test_it_stays_off_with_a_wrong_password(visitor: SignedIn, manager: Member) -> None:
    response = turn_on(visitor(manager), password="not my password")
    assert response.status_code == 422
    assert "That isn’t your password." in read(response).described("password")
    assert not SecondFactor.objects.exists()


def test_it_stays_off_with_a_wrong_code(visitor: SignedIn, manager: Member) -> None:
    browser = visitor(manager)
    before = phone_of(browser.read(PAGE))
    response = turn_on(browser, code="12345")
    assert response.status_code == 422
    page = read(response)
    assert "That code isn’t right." in page.described("code")
    assert phone_of(page) == before
    assert not SecondFactor.objects.exists()


def test_wrong_passwords_count_as_failed_sign_ins(
    visitor: SignedIn, manager: Member, clock: Clock
) -> None:
    browser = visitor(manager)
    for _ in range(MAX_FAILURES_PER_LOGIN_AND_ADDRESS):
        turn_on(browser, password="a guess")
    assert turn_on(browser).status_code == 429


def test_sending_the_form_twice_changes_nothing(
    visitor: SignedIn, manager: Member, clock: Clock
) -> None:
    browser = visitor(manager)
    phone = phone_of(browser.read(PAGE))
    form_data = {"password": PASSWORD, "code": phone.code(clock.now)}
    assert browser.post(PAGE, form_data).status_code == 200
    response = browser.post(PAGE, form_data)
    assert read(response).heading == "Two-step verification"
    assert RecoveryCode.objects.count() == 10


# --- Signing in with it


@pytest.mark.statement("S06")
def test_the_code_is_asked_for_after_the_password(
    manager: Member, kept: TwoStepSetup, clock: Clock
) -> None:
    browser = pending_browser(manager)
    assert Session.objects.filter(member=manager).count() == 0
    page = browser.read("/sign-in/code")
    assert (page.title, page.heading) == (
        "Two-step verification · Rollbook",
        "Two-step verification",
    )
    assert page.form().fields["code"]["autocomplete"] == "one-time-code"
    response = browser.post("/sign-in/code", {"code": kept.phone.code(clock.now)})
    assert (response.status_code, response["Location"]) == (302, "/")
    assert browser.get("/account").status_code == 200
    events = AuditEvent.objects.filter(member=manager).order_by("pk")
    assert [(event.action, event.result) for event in events] == [
        ("sign in", "code required"),
        ("sign in", "ok"),
        ("begin session", "ok"),
    ]


def test_before_the_code_no_page_shows_anything_about_the_member(
    manager: Member, kept: TwoStepSetup
) -> None:
    browser = pending_browser(manager)
    page = browser.get("/sign-in/code").content.decode()
    for text in (manager.email, manager.name, "Maple"):
        assert text not in page
    assert read(browser.get("/sign-in/code")).navigation == []
    for address in ("/", "/account", "/students", PAGE, f"{PAGE}/off", "/account/tokens"):
        response = browser.get(address)
        assert (response.status_code, response["Location"].partition("?")[0]) == (
            302,
            "/sign-in",
        ), address


def test_the_sign_in_redirects_to_the_page_that_was_requested(
    manager: Member, kept: TwoStepSetup, clock: Clock
) -> None:
    browser = pending_browser(manager, next="/students?grade=7&q=a")
    browser.get("/sign-in")
    response = Visitor().sign_in(manager, next="/students?grade=7&q=a")
    assert response["Location"] == "/sign-in/code?next=%2Fstudents%3Fgrade%3D7%26q%3Da"
    response = browser.post(response["Location"], {"code": kept.phone.code(clock.now)})
    assert response["Location"] == "/students?grade=7&q=a"


@pytest.mark.parametrize(
    "next_url", ["https://evil.example/", "//evil.example/", "/\\evil.example"]
)
def test_the_sign_in_never_redirects_to_another_server(
    next_url: str, manager: Member, kept: TwoStepSetup, clock: Clock
) -> None:
    browser = pending_browser(manager, next=next_url)
    response = browser.client.post(
        f"/sign-in/code?next={next_url}",
        {"csrfmiddlewaretoken": browser.token, "code": kept.phone.code(clock.now)},
        secure=True,
        headers={"Origin": "https://testserver"},
    )
    assert response["Location"] == "/"


def test_a_wrong_code_is_reported_and_can_be_corrected(
    manager: Member, kept: TwoStepSetup, clock: Clock
) -> None:
    browser = pending_browser(manager)
    response = browser.post("/sign-in/code", {"code": "000000"})
    assert response.status_code == 403
    assert "Each code works once" in read(response).described("code")
    assert browser.post("/sign-in/code", {"code": ""}).status_code == 422
    assert browser.post("/sign-in/code", {"code": kept.phone.code(clock.now)}).status_code == 302


def test_a_used_code_does_not_work_again(manager: Member, kept: TwoStepSetup, clock: Clock) -> None:
    signed_in_browser(manager, kept)
    thief = pending_browser(manager)
    assert thief.post("/sign-in/code", {"code": kept.phone.code(clock.now)}).status_code == 403


def test_a_recovery_code_works_once_and_the_rest_are_counted(
    manager: Member, kept: TwoStepSetup
) -> None:
    browser = pending_browser(manager)
    page = browser.follow(browser.post("/sign-in/code", {"code": kept.recovery_codes[0]}))
    assert page.messages == [
        "You used a recovery code. Recovery codes left: 9. "
        "You can create new ones under Your account."
    ]
    assert (
        pending_browser(manager).post("/sign-in/code", {"code": kept.recovery_codes[0]}).status_code
        == 403
    )


def test_after_five_minutes_the_sign_in_starts_over(
    manager: Member, kept: TwoStepSetup, clock: Clock
) -> None:
    browser = pending_browser(manager)
    clock.move(minutes=5)
    response = browser.post("/sign-in/code", {"code": kept.phone.code(clock.now)})
    assert response["Location"] == "/sign-in"
    assert browser.follow(response).messages == [
        "More than five minutes have passed. Sign in again and enter a new code."
    ]
    assert browser.get("/account").status_code == 302
    assert sessions.PENDING_LIFETIME.total_seconds() == 300


def test_the_code_is_accepted_only_in_the_browser_with_the_password(
    manager: Member, kept: TwoStepSetup, clock: Clock
) -> None:
    pending_browser(manager)
    other = Visitor()
    other.get("/sign-in")
    assert other.get("/sign-in/code")["Location"] == "/sign-in"
    response = other.post("/sign-in/code", {"code": kept.phone.code(clock.now)})
    assert response["Location"] == "/sign-in"
    assert other.get("/account").status_code == 302


def test_wrong_codes_from_all_addresses_are_limited(
    manager: Member, kept: TwoStepSetup, clock: Clock
) -> None:
    browsers = [pending_browser(manager, Visitor(f"198.51.100.{number}")) for number in range(2)]
    for number in range(MAX_CODE_FAILURES_PER_LOGIN):
        assert browsers[number % 2].post("/sign-in/code", {"code": "000000"}).status_code == 403
    response = pending_browser(manager).post("/sign-in/code", {"code": kept.phone.code(clock.now)})
    assert (response.status_code, response["Retry-After"]) == (429, "3600")


@pytest.mark.statement("S09")
def test_an_emailed_link_does_not_replace_the_code(
    manager: Member, kept: TwoStepSetup, clock: Clock
) -> None:
    link = f"/password/{emailed_links.make_token(manager, AccountMailKind.FORGOTTEN_PASSWORD)}"
    browser = Visitor()
    browser.get(link)
    new = "plum river candle fox"
    response = browser.post(link, {"new": new, "again": new})
    assert response["Location"] == "/sign-in/code"
    page = browser.read("/sign-in/code")
    assert page.messages == ["Password set."]
    assert browser.get("/account").status_code == 302
    assert browser.post("/sign-in/code", {"code": kept.phone.code(clock.now)}).status_code == 302
    assert browser.get("/account").status_code == 200


def test_a_changed_password_keeps_the_session(manager: Member, kept: TwoStepSetup) -> None:
    browser = signed_in_browser(manager, kept)
    new = "plum river candle fox"
    response = browser.post("/account/password", {"old": PASSWORD, "new": new, "again": new})
    assert response["Location"] == "/account"
    assert browser.get("/account").status_code == 200


def test_codes_and_tokens_are_not_logged(
    manager: Member, kept: TwoStepSetup, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="rollbook")
    browser = pending_browser(manager)
    browser.post("/sign-in/code", {"code": kept.recovery_codes[0]})
    browser.get(f"{PAGE}/qr.svg")
    assert "POST /sign-in/code 302" in caplog.text
    for secret in (*kept.recovery_codes, str(kept.token)):
        assert secret not in caplog.text


# --- While it is on


@pytest.mark.statement("S10")
def test_new_recovery_codes_require_password_and_code(
    manager: Member, kept: TwoStepSetup, clock: Clock
) -> None:
    browser = signed_in_browser(manager, kept)
    clock.move(seconds=30)
    address = browser.read(PAGE).links["Create new recovery codes"]
    code = kept.phone.code(clock.now)
    assert browser.post(address, {"password": "wrong", "code": code}).status_code == 422
    assert browser.post(address, {"password": PASSWORD, "code": "000000"}).status_code == 422
    page = read(browser.post(address, {"password": PASSWORD, "code": code}))
    (codes,) = blocks(page)
    assert len(codes.split()) == 10
    assert not set(codes.split()) & set(kept.recovery_codes)
    assert "Your old recovery codes no longer work." in page.text
    assert (
        pending_browser(manager).post("/sign-in/code", {"code": kept.recovery_codes[0]}).status_code
        == 403
    )


@pytest.mark.statement("S10")
def test_turning_it_off_requires_password_and_code(
    manager: Member, kept: TwoStepSetup, clock: Clock
) -> None:
    browser = signed_in_browser(manager, kept)
    address = browser.read(PAGE).links["Turn off two-step verification"]
    assert browser.post(address, {"password": PASSWORD, "code": "000000"}).status_code == 422
    assert SecondFactor.objects.exists()
    response = browser.post(address, {"password": PASSWORD, "code": kept.recovery_codes[3]})
    assert browser.follow(response).messages == [
        "Two-step verification was turned off. Your tokens keep working until you revoke them."
    ]
    assert not SecondFactor.objects.exists()
    assert AuditEvent.objects.get(action="two-step verification off").member == manager
    assert Visitor().sign_in(manager)["Location"] == "/"


@pytest.mark.parametrize("address", [f"{PAGE}/off", f"{PAGE}/recovery-codes"])
def test_without_two_step_verification_there_is_nothing_to_confirm(
    visitor: SignedIn, manager: Member, address: str
) -> None:
    browser = visitor(manager)
    response = browser.post(address, {"password": PASSWORD, "code": "000000"})
    assert response["Location"] == PAGE
    assert browser.follow(response).messages == ["Two-step verification is off."]


def test_there_is_no_qr_code_of_a_secret_in_use(manager: Member, kept: TwoStepSetup) -> None:
    browser = signed_in_browser(manager, kept)
    assert browser.get(f"{PAGE}/qr.svg")["Location"] == PAGE
    assert read(browser.get(PAGE)).heading == "Two-step verification"


# --- Where the district requires it


@pytest.fixture
def required(manager: Member) -> Member:
    District.objects.filter(pk=manager.district_id).update(requires_second_factor=True)
    return Member.objects.get(pk=manager.pk)


@pytest.mark.statement("S06")
def test_members_without_it_can_open_no_page_but_the_one_that_turns_it_on(
    visitor: SignedIn, required: Member
) -> None:
    browser = visitor(required)
    assert browser.get("/")["Location"] == PAGE
    page = browser.read(PAGE)
    assert "Maple USD requires two-step verification." in page.text
    assert "Cancel" not in page.links
    allowed = {"second-factor", "second-factor-qr"}
    for pattern in urlpatterns:
        rule = getattr(pattern.callback, "rule", None)
        if rule is None or rule.public or pattern.pattern.converters:
            continue
        address = f"/{pattern.pattern}"
        request = browser.post if rule.methods == ("POST",) else browser.get
        response = request(address)
        assert (response.status_code == 200) == (pattern.name in allowed), pattern.name
        assert response.status_code == 200 or response["Location"] == PAGE


def test_htmx_requests_are_redirected_there_too(visitor: SignedIn, required: Member) -> None:
    response = visitor(required).get("/students", htmx=True)
    assert response["HX-Redirect"] == PAGE


def test_once_it_is_on_all_pages_are_open(
    visitor: SignedIn, required: Member, clock: Clock
) -> None:
    browser = visitor(required)
    assert turn_on(browser).status_code == 200
    assert browser.get("/account").status_code == 200


def test_members_without_it_can_sign_out(visitor: SignedIn, required: Member) -> None:
    browser = visitor(required)
    assert browser.post("/sign-out")["Location"] == "/sign-in"


def test_the_neighbor_does_not_require_it(
    visitor: SignedIn, required: Member, neighbor: Member
) -> None:
    assert visitor(neighbor).get("/account").status_code == 200


# --- Other members


def test_a_manager_can_turn_it_off_for_a_member_who_lost_their_phone(
    visitor: SignedIn, manager: Member, school_manager: Member, clock: Clock
) -> None:
    with_second_factor(school_manager)
    browser = visitor(manager)
    (row,) = (row for row in browser.read("/staff").rows if row[1] == school_manager.email)
    assert row[4] == "✓ active ✓ two-step verification"
    page = browser.read(f"/staff/{school_manager.pk}")
    address = f"/staff/{school_manager.pk}/second-factor-off"
    assert page.form(address).buttons == ["Turn off two-step verification for Ana Ruiz"]
    response = browser.confirm(address)
    assert browser.follow(response).messages == [
        "Two-step verification was turned off for Ana Ruiz. We’ve emailed them."
    ]
    event = AuditEvent.objects.get(action="two-step verification off")
    assert (event.member, event.result, event.detail) == (
        manager,
        "ok",
        f"member {school_manager.pk}",
    )
    assert Visitor().sign_in(school_manager)["Location"] == "/"
    assert address not in browser.read(f"/staff/{school_manager.pk}").actions
    response = browser.confirm(address)
    assert browser.follow(response).messages == [
        "Two-step verification wasn’t turned off: Ana Ruiz doesn't use two-step verification."
    ]


def test_members_cannot_turn_off_their_own_on_the_staff_page(
    manager: Member, kept: TwoStepSetup
) -> None:
    browser = signed_in_browser(manager, kept)
    address = f"/staff/{manager.pk}/second-factor-off"
    assert address not in browser.read(f"/staff/{manager.pk}").actions
    page = browser.follow(browser.confirm(address))
    assert "wasn’t turned off: turn off your own" in page.messages[0]
    assert SecondFactor.objects.exists()
