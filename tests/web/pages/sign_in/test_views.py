"""/sign-in, /sign-out and /slc/: a password starts a session, and signing out ends it."""

import logging
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.hashers import make_password
from django.db import OperationalError
from django.test import Client

from rollbook.accounts.auth.password_hasher import Argon2id
from rollbook.accounts.auth.sign_in import sign_in_cache
from rollbook.accounts.auth.throttle import MAX_FAILURES_PER_LOGIN_AND_ADDRESS
from rollbook.accounts.models import AuditEvent, Member, Session
from tests.accounts.browser import Clock
from tests.conftest import PASSWORD
from tests.web.pages.conftest import HERE, SignedIn, Visitor
from tests.web.pages.reading import read

SESSION = "__Host-session"


@pytest.fixture
def inactive(manager: Member) -> Member:
    Member.objects.filter(pk=manager.pk).update(is_active=False)
    return manager


@pytest.fixture
def invited(manager: Member) -> Member:
    Member.objects.filter(pk=manager.pk).update(password=make_password(None))
    return manager


@pytest.fixture
def hashes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Record the name of the method for each time that a password is hashed."""
    calls: list[str] = []

    def counting(method: Callable[..., Any], name: str) -> Callable[..., Any]:
        def count(*args: Any) -> Any:
            calls.append(name)
            return method(*args)

        return count

    for name in ("encode", "verify"):
        monkeypatch.setattr(Argon2id, name, counting(getattr(Argon2id, name), name))
    return calls


def test_password_managers_recognize_the_form(stranger: Visitor) -> None:
    page = stranger.read("/sign-in")
    assert (page.title, page.heading) == ("Sign in · Rollbook", "Sign in")
    fields = page.form().fields
    assert fields["login"]["autocomplete"] == "username"
    assert (fields["password"]["type"], fields["password"]["autocomplete"]) == (
        "password",
        "current-password",
    )
    assert page.links["Forgot your password?"] == "/forgotten-password"
    assert page.navigation == []


def test_the_right_password_starts_a_session_and_redirects_home(
    stranger: Visitor, manager: Member
) -> None:
    response = stranger.sign_in(manager)
    assert (response.status_code, response["Location"]) == (302, "/")
    assert Session.objects.get().member == manager
    events = AuditEvent.objects.filter(member=manager, result="ok").order_by("pk")
    assert [event.action for event in events] == ["sign in", "begin session"]


def test_case_and_spaces_around_the_login_are_ignored(stranger: Visitor, manager: Member) -> None:
    stranger.get("/sign-in")
    response = stranger.post("/sign-in", {"login": "  OPS@Maple.Example ", "password": PASSWORD})
    assert response.status_code == 302


@pytest.mark.statement("S15")
def test_cookies_are_limited_to_this_host_and_hidden_from_scripts(
    stranger: Visitor, manager: Member
) -> None:
    cookies = stranger.sign_in(manager).cookies
    assert set(cookies) == {SESSION, "__Host-csrf"}
    for cookie in cookies.values():
        assert (cookie["secure"], cookie["httponly"], cookie["samesite"]) == (True, True, "Lax")
        assert (cookie["path"], cookie["domain"]) == ("/", "")
    assert cookies[SESSION]["max-age"] == ""


def test_a_failed_sign_in_keeps_the_login_but_not_the_password(
    stranger: Visitor, manager: Member
) -> None:
    response = stranger.sign_in(manager, "not the password at all")
    assert response.status_code == 403
    page = read(response)
    assert "Sign-in failed. Check your email and password." in page.text
    assert page.form().values == {
        "login": ["ops@maple.example"],
        "password": [""],
        "csrfmiddlewaretoken": page.form().values["csrfmiddlewaretoken"],
    }
    assert "not the password at all" not in response.content.decode()
    assert not Session.objects.exists()


def _anonymous(response: Any, login: str) -> str:
    """Return the page without the parts that differ each time."""
    page = read(response)
    token = page.form().values["csrfmiddlewaretoken"][0]
    return str(page.response.content.decode()).replace(token, "").replace(login, "")


@pytest.mark.statement("S03")
@pytest.mark.parametrize("case", ["wrong", "inactive", "invited"])
def test_unknown_wrong_inactive_and_invited_get_the_same_response(
    case: str, stranger: Visitor, manager: Member, request: pytest.FixtureRequest
) -> None:
    if case != "wrong":
        request.getfixturevalue(case)
    stranger.get("/sign-in")
    unknown = stranger.post("/sign-in", {"login": "who@example.org", "password": PASSWORD})
    other = stranger.post(
        "/sign-in",
        {
            "login": manager.email,
            "password": "something quite wrong" if case == "wrong" else PASSWORD,
        },
    )
    assert unknown.status_code == other.status_code == 403
    assert _anonymous(unknown, "who@example.org") == _anonymous(other, manager.email)
    assert SESSION not in unknown.cookies
    assert SESSION not in other.cookies


@pytest.mark.statement("S03")
@pytest.mark.parametrize("case", ["unknown", "wrong", "inactive", "invited"])
def test_every_failed_sign_in_computes_one_hash(
    case: str, stranger: Visitor, manager: Member, request: pytest.FixtureRequest, hashes: list[str]
) -> None:
    if case in {"inactive", "invited"}:
        request.getfixturevalue(case)
    sign_in_cache.clear()
    stranger.get("/sign-in")
    login = "who@example.org" if case == "unknown" else manager.email
    hashes.clear()
    response = stranger.post(
        "/sign-in", {"login": login, "password": "wrong" if case == "wrong" else PASSWORD}
    )
    assert response.status_code == 403
    assert len(hashes) == 1


@pytest.mark.parametrize("missing", ["login", "password"])
def test_an_empty_field_is_reported_at_the_field(
    missing: str, stranger: Visitor, manager: Member
) -> None:
    stranger.get("/sign-in")
    sent = {"login": manager.email, "password": PASSWORD} | {missing: ""}
    response = stranger.post("/sign-in", sent)
    assert response.status_code == 422
    page = read(response)
    assert page.described(missing) == "This field is required."
    assert page.form().fields[missing]["aria-invalid"] == "true"


@pytest.mark.statement("S04")
def test_after_too_many_failures_the_page_shows_how_long_to_wait(
    stranger: Visitor, manager: Member, clock: Clock, hashes: list[str]
) -> None:
    for _ in range(MAX_FAILURES_PER_LOGIN_AND_ADDRESS):
        assert stranger.sign_in(manager, "wrong").status_code == 403
    hashes.clear()
    clock.move(minutes=10)
    response = stranger.sign_in(manager)
    assert (response.status_code, response["Retry-After"]) == (429, "3000")
    assert "Try again in 50 min 0 s." in read(response).text
    assert hashes == []
    clock.move(minutes=50, seconds=1)
    assert stranger.sign_in(manager).status_code == 302


def test_the_limit_does_not_affect_another_address(stranger: Visitor, manager: Member) -> None:
    for _ in range(MAX_FAILURES_PER_LOGIN_AND_ADDRESS):
        stranger.sign_in(manager, "wrong")
    assert Visitor("198.51.100.20").sign_in(manager).status_code == 302


@pytest.mark.parametrize("next_url", ["/account", "/students?grade=7&q=a%26b", "/updates/17"])
def test_the_sign_in_redirects_to_the_page_that_was_requested(
    next_url: str, stranger: Visitor, manager: Member
) -> None:
    assert stranger.sign_in(manager, next=next_url)["Location"] == next_url


def test_a_page_redirects_to_the_sign_in_and_back(stranger: Visitor, manager: Member) -> None:
    stranger.get("/sign-in")
    response = stranger.get("/account")
    assert response["Location"] == "/sign-in?next=%2Faccount"
    response = stranger.post(response["Location"], {"login": manager.email, "password": PASSWORD})
    assert stranger.follow(response).heading == "Your account"


ELSEWHERE = [
    "https://evil.example/",
    "http://testserver/account",
    "//evil.example/",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "/\t/evil.example",
    "\t//evil.example",
    " //evil.example",
    "javascript:alert(1)",
    "data:text/html,hello",
    "account",
    "",
    "https:evil.example",
    "/\r\n/evil.example",
    "/account\r\nSet-Cookie: a=b",
]


@pytest.mark.parametrize("next_url", ELSEWHERE)
def test_the_sign_in_never_redirects_to_another_server(
    next_url: str, stranger: Visitor, manager: Member
) -> None:
    assert stranger.sign_in(manager, next=next_url)["Location"] == "/"
    assert stranger.get("/sign-in", {"next": next_url})["Location"] == "/"


def test_a_signed_in_member_is_redirected(visitor: SignedIn, manager: Member) -> None:
    browser = visitor(manager)
    response = browser.get("/sign-in", {"next": "/account"})
    assert (response.status_code, response["Location"]) == (302, "/account")


def test_signing_in_as_another_member_ends_the_first_session(
    visitor: SignedIn, manager: Member, neighbor: Member
) -> None:
    browser = visitor(manager)
    assert (
        browser.post("/sign-in", {"login": neighbor.email, "password": PASSWORD}).status_code == 302
    )
    assert Session.objects.get().member == neighbor
    assert "Cedar County" in browser.read("/account").text


@pytest.mark.statement("S15")
def test_a_planted_session_key_is_replaced_when_signing_in(
    stranger: Visitor, manager: Member
) -> None:
    stranger.client.cookies[SESSION] = planted = "0123456789abcdef0123456789abcdef"
    stranger.sign_in(manager)
    assert stranger.client.cookies[SESSION].value != planted
    thief = Visitor()
    thief.client.cookies[SESSION] = planted
    assert thief.get("/account").status_code == 302


def test_a_session_key_from_the_server_is_replaced_when_signing_in(
    visitor: SignedIn, manager: Member
) -> None:
    browser = visitor(manager)
    browser.post("/sign-out")
    strangers = browser.client.cookies[SESSION].value
    assert browser.sign_in(manager).status_code == 302
    assert browser.client.cookies[SESSION].value != strangers
    assert Session.objects.count() == 1


def test_the_csrf_token_is_replaced_when_signing_in(stranger: Visitor, manager: Member) -> None:
    stranger.get("/sign-in")
    before = stranger.token
    stranger.sign_in(manager)
    assert stranger.token != before


@pytest.mark.statement("S15")
def test_half_an_hour_without_a_request_ends_the_session(
    visitor: SignedIn, manager: Member, clock: Clock
) -> None:
    browser = visitor(manager)
    clock.move(minutes=29)
    assert browser.get("/account").status_code == 200
    clock.move(minutes=29)
    assert browser.get("/account").status_code == 200
    clock.move(minutes=30)
    assert browser.get("/account")["Location"] == "/sign-in?next=%2Faccount"


@pytest.mark.statement("S15")
def test_twelve_hours_end_it_however_busy_it_is(
    visitor: SignedIn, manager: Member, clock: Clock
) -> None:
    browser = visitor(manager)
    for _ in range(35):
        clock.move(minutes=20)
        assert browser.get("/account").status_code == 200
    clock.move(minutes=20)
    assert browser.get("/account").status_code == 302


def test_a_deactivated_member_is_signed_out_with_the_next_request(
    visitor: SignedIn, manager: Member
) -> None:
    browser = visitor(manager)
    Member.objects.filter(pk=manager.pk).update(is_active=False)
    assert browser.get("/account").status_code == 302
    assert not Session.objects.filter(member=manager).exists()


@pytest.mark.statement("S15")
def test_signing_out_ends_the_session_on_the_server(visitor: SignedIn, manager: Member) -> None:
    browser, copy = visitor(manager), Visitor()
    copy.client.cookies[SESSION] = browser.client.cookies[SESSION].value
    assert copy.get("/account").status_code == 200
    response = browser.post("/sign-out")
    assert response["Location"] == "/sign-in"
    assert browser.follow(response).messages == ["You’re signed out."]
    assert copy.get("/account").status_code == 302
    assert browser.get("/account").status_code == 302
    assert AuditEvent.objects.filter(action="end session", member=manager).count() == 1


def test_signing_out_twice_is_not_an_error(visitor: SignedIn, manager: Member) -> None:
    browser = visitor(manager)
    browser.post("/sign-out")
    assert browser.post("/sign-out")["Location"] == "/sign-in"
    assert AuditEvent.objects.filter(action="end session").count() == 1


def test_an_image_on_another_site_signs_no_one_out(visitor: SignedIn, manager: Member) -> None:
    browser = visitor(manager)
    response = browser.get("/sign-out")
    assert (response.status_code, response["Allow"]) == (405, "POST")
    assert browser.get("/account").status_code == 200


@pytest.mark.statement("S18")
@pytest.mark.parametrize(
    "address", ["/sign-in", "/sign-out", "/forgotten-password", "/account/sessions/end-others"]
)
def test_a_form_without_its_csrf_token_is_rejected_with_an_explanation(
    address: str, visitor: SignedIn, manager: Member
) -> None:
    browser = visitor(manager)
    sent = {"login": manager.email, "password": PASSWORD}
    response = browser.client.post(address, sent, secure=True, headers={"Origin": HERE})
    assert response.status_code == 403
    page = read(response)
    assert page.heading == "The form has expired"
    assert "Go back, reload the page, and send it once more." in page.text
    assert browser.get("/account").status_code == 200


@pytest.mark.statement("S18")
def test_a_form_on_another_site_is_rejected(visitor: SignedIn, manager: Member) -> None:
    browser = visitor(manager)
    sent = {"csrfmiddlewaretoken": browser.token}
    response = browser.client.post(
        "/sign-out", sent, secure=True, headers={"Origin": "https://evil.example"}
    )
    assert response.status_code == 403
    assert browser.get("/account").status_code == 200


def test_the_old_address_redirects_to_the_sign_in(stranger: Visitor) -> None:
    response = stranger.get("/slc/")
    assert (response.status_code, response["Location"]) == (302, "/sign-in")


def test_a_password_over_plain_http_is_rejected_without_being_verified(
    db: None, manager: Member, hashes: list[str]
) -> None:
    response = Client().post("/sign-in", {"login": manager.email, "password": PASSWORD})
    assert response.status_code == 403
    assert "use_https" in response.content.decode()
    assert hashes == []


def test_a_host_header_of_another_name_is_refused(stranger: Visitor, manager: Member) -> None:
    stranger.get("/sign-in")
    sent = {"login": manager.email, "password": PASSWORD, "csrfmiddlewaretoken": stranger.token}
    evil = {"Host": "evil.example", "Origin": "https://evil.example"}
    response = stranger.client.post("/sign-in", sent, secure=True, headers=evil)
    assert response.content.startswith(b"ERROR unknown_host: ")
    assert "Location" not in response


@pytest.mark.statement("S19")
def test_responses_must_not_be_cached(stranger: Visitor, manager: Member) -> None:
    for response in (
        stranger.get("/sign-in"),
        stranger.sign_in(manager, "wrong"),
        stranger.sign_in(manager),
    ):
        assert "no-store" in response["Cache-Control"]


def test_login_and_password_are_not_logged(
    stranger: Visitor, manager: Member, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="rollbook")
    stranger.sign_in(manager, "a wrong password of mine", next="/account")
    stranger.sign_in(manager, next="/account")
    assert "POST /sign-in 302" in caplog.text
    for secret in (manager.email, PASSWORD, "a wrong password of mine"):
        assert secret not in caplog.text


def test_an_unavailable_database_is_reported(
    stranger: Visitor, manager: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: object, **kwargs: object) -> None:
        raise OperationalError("no such server")

    monkeypatch.setattr("rollbook.accounts.auth.sign_in.verify_password", fail)
    response = stranger.sign_in(manager)
    assert response.status_code == 503
    assert "Nothing was changed." in read(response).text


def test_on_a_new_server_the_page_says_why_nobody_can_sign_in(db: None) -> None:
    notice = "Nobody has an account on this server yet."
    assert notice in Visitor().read("/sign-in").text


def test_where_somebody_has_an_account_the_page_says_nothing_of_it(manager: Member) -> None:
    assert "rollbook init" not in Visitor().read("/sign-in").text
