"""/account/second-factor and /sign-in/code: switching it on and off, and signing in with it."""

import logging
import re
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from rollbook.accounts import mails
from rollbook.accounts.auth import emailed_links, second_factor, sessions
from rollbook.accounts.auth.throttle import PER_LOGIN_AND_ADDRESS, PER_LOGIN_OF_CODES
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
from tests.accounts.phone import Kept, Phone, with_second_factor
from tests.conftest import PASSWORD
from tests.web.pages.conftest import SignedIn, Visitor
from tests.web.pages.reading import Page, read

HERE = "/account/second-factor"


@pytest.fixture
def kept(manager: Member, clock: Clock) -> Kept:
    """The manager has a second factor, and some time has passed since."""
    kept = with_second_factor(manager)
    clock.move(minutes=1)
    return kept


def half_way(member: Member, browser: Visitor | None = None, **query: str) -> Visitor:
    """A browser in which the password was right."""
    browser = browser or Visitor()
    answer = browser.sign_in(member, **query)
    assert answer["Location"].partition("?")[0] == "/sign-in/code"
    return browser


def all_the_way(member: Member, kept: Kept) -> Visitor:
    browser = half_way(member)
    assert (
        browser.post("/sign-in/code", {"code": kept.phone.code(timezone.now())})["Location"] == "/"
    )
    return browser


def blocks(page: Page) -> list[str]:
    """What is there to be copied."""
    return ["".join(block.itertext()).strip() for block in page.main.iter("pre")]


def phone_of(page: Page) -> Phone:
    return Phone.told(blocks(page)[0])


def switch_on(browser: Visitor, password: str = PASSWORD, code: str | None = None) -> Any:
    phone = phone_of(browser.read(HERE))
    return browser.post(
        HERE, {"password": password, "code": phone.code(timezone.now()) if code is None else code}
    )


# --- Switching it on


def test_the_account_says_how_it_stands_and_leads_there(visitor: SignedIn, manager: Member) -> None:
    browser = visitor(manager)
    page = browser.read("/account")
    assert "· off Your password alone signs you in." in page.text
    page = browser.read(page.links["Second factor"])
    assert page.heading == "Switch on a second factor"
    fields = page.form().fields
    assert (fields["code"]["autocomplete"], fields["password"]["autocomplete"]) == (
        "one-time-code",
        "current-password",
    )


def test_the_secret_stays_the_same_until_it_is_used_and_is_another_ones_in_another_session(
    visitor: SignedIn, manager: Member
) -> None:
    browser, other = visitor(manager), visitor(manager)
    phones = [
        phone_of(browser.read(HERE)),
        phone_of(browser.read(HERE)),
        phone_of(other.read(HERE)),
    ]
    assert phones[0] == phones[1]
    assert phones[0] != phones[2]


def test_the_picture_is_an_svg_of_this_server_without_styles_or_scripts(
    visitor: SignedIn, manager: Member
) -> None:
    browser = visitor(manager)
    page = browser.read(HERE)
    (image,) = page.main.iter("img")
    assert (image.attrib["src"], image.attrib["alt"] != "") == (f"{HERE}/qr.svg", True)
    answer = browser.get(f"{HERE}/qr.svg")
    assert (answer.status_code, answer["Content-Type"]) == (200, "image/svg+xml")
    assert "no-store" in answer["Cache-Control"]
    picture = answer.content.decode()
    assert picture.startswith("<?xml")
    for word in ("style", "script", "href"):
        assert word not in picture
    assert browser.get(f"{HERE}/qr.svg").content == answer.content


def test_a_code_and_the_password_switch_it_on_and_show_once_what_is_to_be_kept(
    visitor: SignedIn, manager: Member, clock: Clock
) -> None:
    browser, other = visitor(manager), visitor(manager)
    response = switch_on(browser)
    assert response.status_code == 200
    assert "no-store" in response["Cache-Control"]
    page = read(response)
    assert page.heading == "Keep these"
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
    event = AuditEvent.objects.get(action="second factor on")
    assert (event.member, event.result, event.detail) == (manager, "ok", "with a token for scripts")
    shown_again = browser.read(HERE)
    assert shown_again.heading == "Second factor"
    assert "You have 10 of them left" in shown_again.text
    for secret in (*codes.split(), token):
        assert secret not in shown_again.response.content.decode()


def test_who_has_a_token_already_is_shown_no_other(
    visitor: SignedIn, manager: Member, clock: Clock
) -> None:
    with_second_factor(manager)
    second_factor.switch_off(manager, clock.now)
    page = read(switch_on(visitor(manager)))
    assert len(blocks(page)) == 1
    assert "token" not in page.text
    assert Token.objects.count() == 1


def test_who_may_not_update_students_is_not_told_of_tokens(
    visitor: SignedIn, instructor: Member
) -> None:
    browser = visitor(instructor)
    assert "token" not in browser.read(HERE).text
    assert "token" not in read(switch_on(browser)).text
    assert "Tokens" not in browser.read("/account").links


def test_both_mails_are_on_their_way(
    visitor: SignedIn, manager: Member, mailoutbox: list[Any], clock: Clock
) -> None:
    switch_on(visitor(manager))
    mails.send_due()
    assert {sent.subject for sent in mailoutbox} == {
        "[Maple USD] A second factor for Rollbook was switched on",
        "[Maple USD] A token for Rollbook was made",
    }


def test_without_the_password_it_stays_off(visitor: SignedIn, manager: Member) -> None:
    response = switch_on(visitor(manager), password="not my password")
    assert response.status_code == 422
    assert "This is not your password." in read(response).described("password")
    assert not SecondFactor.objects.exists()


def test_without_the_right_code_too(visitor: SignedIn, manager: Member) -> None:
    browser = visitor(manager)
    before = phone_of(browser.read(HERE))
    response = switch_on(browser, code="12345")
    assert response.status_code == 422
    page = read(response)
    assert "This is not right." in page.described("code")
    assert phone_of(page) == before
    assert not SecondFactor.objects.exists()


def test_guessing_the_password_here_is_guessing_at_the_sign_in(
    visitor: SignedIn, manager: Member, clock: Clock
) -> None:
    browser = visitor(manager)
    for _ in range(PER_LOGIN_AND_ADDRESS):
        switch_on(browser, password="a guess")
    assert switch_on(browser).status_code == 429


def test_sending_it_twice_changes_nothing(visitor: SignedIn, manager: Member, clock: Clock) -> None:
    browser = visitor(manager)
    phone = phone_of(browser.read(HERE))
    sent = {"password": PASSWORD, "code": phone.code(clock.now)}
    assert browser.post(HERE, sent).status_code == 200
    again = browser.post(HERE, sent)
    assert read(again).heading == "Second factor"
    assert RecoveryCode.objects.count() == 10


# --- Signing in with it


def test_after_the_password_comes_the_code_and_then_one_is_in(
    manager: Member, kept: Kept, clock: Clock
) -> None:
    browser = half_way(manager)
    assert Session.objects.filter(member=manager).count() == 0
    page = browser.read("/sign-in/code")
    assert (page.title, page.heading) == ("Sign in: code · Rollbook", "Your code")
    assert page.form().fields["code"]["autocomplete"] == "one-time-code"
    response = browser.post("/sign-in/code", {"code": kept.phone.code(clock.now)})
    assert (response.status_code, response["Location"]) == (302, "/")
    assert browser.get("/account").status_code == 200
    told = AuditEvent.objects.filter(member=manager).order_by("pk")
    assert [(event.action, event.result) for event in told] == [
        ("sign in", "code asked for"),
        ("sign in", "ok"),
        ("begin session", "ok"),
    ]


def test_until_then_nothing_of_the_member_is_shown_and_nothing_opens(
    manager: Member, kept: Kept
) -> None:
    browser = half_way(manager)
    page = browser.get("/sign-in/code").content.decode()
    for fact in (manager.email, manager.name, "Maple"):
        assert fact not in page
    assert read(browser.get("/sign-in/code")).rooms == []
    for address in ("/", "/account", "/students", HERE, f"{HERE}/off", "/account/tokens"):
        response = browser.get(address)
        assert (response.status_code, response["Location"].partition("?")[0]) == (
            302,
            "/sign-in",
        ), address


def test_a_visit_goes_on_where_it_was_going(manager: Member, kept: Kept, clock: Clock) -> None:
    browser = half_way(manager, next="/students?grade=7&q=a")
    browser.get("/sign-in")
    response = Visitor().sign_in(manager, next="/students?grade=7&q=a")
    assert response["Location"] == "/sign-in/code?next=%2Fstudents%3Fgrade%3D7%26q%3Da"
    response = browser.post(response["Location"], {"code": kept.phone.code(clock.now)})
    assert response["Location"] == "/students?grade=7&q=a"


@pytest.mark.parametrize("onward", ["https://evil.example/", "//evil.example/", "/\\evil.example"])
def test_nobody_is_led_to_another_server(
    onward: str, manager: Member, kept: Kept, clock: Clock
) -> None:
    browser = half_way(manager, next=onward)
    response = browser.client.post(
        f"/sign-in/code?next={onward}",
        {"csrfmiddlewaretoken": browser.token, "code": kept.phone.code(clock.now)},
        secure=True,
        headers={"Origin": "https://testserver"},
    )
    assert response["Location"] == "/"


def test_a_wrong_code_is_told_and_one_can_try_again(
    manager: Member, kept: Kept, clock: Clock
) -> None:
    browser = half_way(manager)
    response = browser.post("/sign-in/code", {"code": "000000"})
    assert response.status_code == 403
    assert "Each code is good once" in read(response).described("code")
    assert browser.post("/sign-in/code", {"code": ""}).status_code == 422
    assert browser.post("/sign-in/code", {"code": kept.phone.code(clock.now)}).status_code == 302


def test_a_code_that_somebody_has_seen_is_worth_nothing(
    manager: Member, kept: Kept, clock: Clock
) -> None:
    all_the_way(manager, kept)
    thief = half_way(manager)
    assert thief.post("/sign-in/code", {"code": kept.phone.code(clock.now)}).status_code == 403


def test_a_recovery_code_lets_in_once_and_tells_how_many_are_left(
    manager: Member, kept: Kept
) -> None:
    browser = half_way(manager)
    page = browser.follow(browser.post("/sign-in/code", {"code": kept.recovery_codes[0]}))
    assert page.messages == [
        "That was a recovery code. Left: 9. Make new ones under Your account before they are used up."
    ]
    assert (
        half_way(manager).post("/sign-in/code", {"code": kept.recovery_codes[0]}).status_code == 403
    )


def test_after_five_minutes_one_begins_anew(manager: Member, kept: Kept, clock: Clock) -> None:
    browser = half_way(manager)
    clock.move(minutes=5)
    response = browser.post("/sign-in/code", {"code": kept.phone.code(clock.now)})
    assert response["Location"] == "/sign-in"
    assert browser.follow(response).messages == [
        "That took more than five minutes. Sign in again, then with a new code."
    ]
    assert browser.get("/account").status_code == 302
    assert sessions.PENDING_LIFETIME.total_seconds() == 300


def test_it_is_the_browser_with_the_password_that_is_asked(
    manager: Member, kept: Kept, clock: Clock
) -> None:
    half_way(manager)
    other = Visitor()
    other.get("/sign-in")
    assert other.get("/sign-in/code")["Location"] == "/sign-in"
    response = other.post("/sign-in/code", {"code": kept.phone.code(clock.now)})
    assert response["Location"] == "/sign-in"
    assert other.get("/account").status_code == 302


def test_too_many_wrong_codes_have_to_wait_from_wherever(
    manager: Member, kept: Kept, clock: Clock
) -> None:
    browsers = [half_way(manager, Visitor(f"198.51.100.{number}")) for number in range(2)]
    for number in range(PER_LOGIN_OF_CODES):
        assert browsers[number % 2].post("/sign-in/code", {"code": "000000"}).status_code == 403
    response = half_way(manager).post("/sign-in/code", {"code": kept.phone.code(clock.now)})
    assert (response.status_code, response["Retry-After"]) == (429, "3600")


def test_a_mailed_link_does_not_get_around_it(manager: Member, kept: Kept, clock: Clock) -> None:
    link = f"/password/{emailed_links.make(manager, AccountMailKind.FORGOTTEN_PASSWORD)}"
    browser = Visitor()
    browser.get(link)
    new = "plum river candle fox"
    response = browser.post(link, {"new": new, "again": new})
    assert response["Location"] == "/sign-in/code"
    page = browser.read("/sign-in/code")
    assert page.messages == ["Your password is set."]
    assert browser.get("/account").status_code == 302
    assert browser.post("/sign-in/code", {"code": kept.phone.code(clock.now)}).status_code == 302
    assert browser.get("/account").status_code == 200


def test_a_changed_password_keeps_the_session(manager: Member, kept: Kept) -> None:
    browser = all_the_way(manager, kept)
    new = "plum river candle fox"
    response = browser.post("/account/password", {"old": PASSWORD, "new": new, "again": new})
    assert response["Location"] == "/account"
    assert browser.get("/account").status_code == 200


def test_neither_code_nor_token_is_logged(
    manager: Member, kept: Kept, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="rollbook")
    browser = half_way(manager)
    browser.post("/sign-in/code", {"code": kept.recovery_codes[0]})
    browser.get(f"{HERE}/qr.svg")
    assert "POST /sign-in/code 302" in caplog.text
    for secret in (*kept.recovery_codes, str(kept.token)):
        assert secret not in caplog.text


# --- Once it is on


def test_new_recovery_codes_take_password_and_code(
    manager: Member, kept: Kept, clock: Clock
) -> None:
    browser = all_the_way(manager, kept)
    clock.move(seconds=30)
    address = browser.read(HERE).links["Make ten new ones"]
    code = kept.phone.code(clock.now)
    assert browser.post(address, {"password": "wrong", "code": code}).status_code == 422
    assert browser.post(address, {"password": PASSWORD, "code": "000000"}).status_code == 422
    page = read(browser.post(address, {"password": PASSWORD, "code": code}))
    (codes,) = blocks(page)
    assert len(codes.split()) == 10
    assert not set(codes.split()) & set(kept.recovery_codes)
    assert "Those that you had before are good no more." in page.text
    assert (
        half_way(manager).post("/sign-in/code", {"code": kept.recovery_codes[0]}).status_code == 403
    )


def test_it_is_switched_off_with_password_and_code(
    manager: Member, kept: Kept, clock: Clock
) -> None:
    browser = all_the_way(manager, kept)
    address = browser.read(HERE).links["Switch it off"]
    assert browser.post(address, {"password": PASSWORD, "code": "000000"}).status_code == 422
    assert SecondFactor.objects.exists()
    response = browser.post(address, {"password": PASSWORD, "code": kept.recovery_codes[3]})
    assert browser.follow(response).messages == [
        "Your second factor is switched off. Tokens stay good until they are revoked."
    ]
    assert not SecondFactor.objects.exists()
    assert AuditEvent.objects.get(action="second factor off").member == manager
    assert Visitor().sign_in(manager)["Location"] == "/"


@pytest.mark.parametrize("address", [f"{HERE}/off", f"{HERE}/recovery-codes"])
def test_of_who_has_none_there_is_nothing_to_ask(
    visitor: SignedIn, manager: Member, address: str
) -> None:
    browser = visitor(manager)
    response = browser.post(address, {"password": PASSWORD, "code": "000000"})
    assert response["Location"] == HERE
    assert browser.follow(response).messages == ["Your second factor is off."]


def test_there_is_no_picture_of_a_secret_that_is_in_use(manager: Member, kept: Kept) -> None:
    browser = all_the_way(manager, kept)
    assert browser.get(f"{HERE}/qr.svg")["Location"] == HERE
    assert read(browser.get(HERE)).heading == "Second factor"


# --- Where the district requires it


@pytest.fixture
def required(manager: Member) -> Member:
    District.objects.filter(pk=manager.district_id).update(requires_second_factor=True)
    return Member.objects.get(pk=manager.pk)


def test_who_has_none_yet_is_led_to_the_page_and_comes_to_no_other(
    visitor: SignedIn, required: Member
) -> None:
    browser = visitor(required)
    assert browser.get("/")["Location"] == HERE
    page = browser.read(HERE)
    assert "Maple USD requires a second factor." in page.text
    assert "Leave it off" not in page.links
    allowed = {"second-factor", "second-factor-qr"}
    for pattern in urlpatterns:
        rule = getattr(pattern.callback, "rule", None)
        if rule is None or rule.public or pattern.pattern.converters:
            continue
        address = f"/{pattern.pattern}"
        answer = browser.post(address) if rule.methods == ("POST",) else browser.get(address)
        assert (answer.status_code == 200) == (pattern.name in allowed), pattern.name
        assert answer.status_code == 200 or answer["Location"] == HERE


def test_a_page_of_somebody_who_watches_is_led_there_by_htmx(
    visitor: SignedIn, required: Member
) -> None:
    answer = visitor(required).get("/students", htmx=True)
    assert answer["HX-Redirect"] == HERE


def test_once_it_is_on_everything_is_open(
    visitor: SignedIn, required: Member, clock: Clock
) -> None:
    browser = visitor(required)
    assert switch_on(browser).status_code == 200
    assert browser.get("/account").status_code == 200


def test_signing_out_is_open_too(visitor: SignedIn, required: Member) -> None:
    browser = visitor(required)
    assert browser.post("/sign-out")["Location"] == "/sign-in"


def test_the_neighbour_has_to_have_none(
    visitor: SignedIn, required: Member, neighbour: Member
) -> None:
    assert visitor(neighbour).get("/account").status_code == 200


# --- Others


def test_a_manager_sees_who_has_one_and_switches_a_lost_one_off(
    visitor: SignedIn, manager: Member, school_manager: Member, clock: Clock
) -> None:
    with_second_factor(school_manager)
    browser = visitor(manager)
    (row,) = (row for row in browser.read("/staff").rows if row[1] == school_manager.email)
    assert row[4] == "✓ active ✓ second factor"
    page = browser.read(f"/staff/{school_manager.pk}")
    address = f"/staff/{school_manager.pk}/second-factor-off"
    assert page.form(address).buttons == ["Switch off the second factor of Ana Ruiz"]
    response = browser.post(address)
    assert browser.follow(response).messages == [
        "Ana Ruiz signs in with the password alone again, and has been mailed that."
    ]
    event = AuditEvent.objects.get(action="second factor off")
    assert (event.member, event.result, event.detail) == (
        manager,
        "ok",
        f"member {school_manager.pk}",
    )
    assert Visitor().sign_in(school_manager)["Location"] == "/"
    assert address not in browser.read(f"/staff/{school_manager.pk}").actions
    response = browser.post(address)
    assert browser.follow(response).messages == [
        "Nothing was switched off: Ana Ruiz has no second factor."
    ]


def test_ones_own_is_not_switched_off_under_staff(manager: Member, kept: Kept) -> None:
    browser = all_the_way(manager, kept)
    address = f"/staff/{manager.pk}/second-factor-off"
    assert address not in browser.read(f"/staff/{manager.pk}").actions
    browser.post(address)
    assert SecondFactor.objects.exists()
