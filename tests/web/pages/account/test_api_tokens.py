"""/account/tokens: which there are, making one, which is shown once, and revoking one."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail

from rollbook.accounts import mails
from rollbook.accounts.auth import api_tokens
from rollbook.accounts.auth.api_tokens import MAX_TOKENS, Scope
from rollbook.accounts.auth.throttle import PER_LOGIN_AND_ADDRESS
from rollbook.accounts.models import AuditEvent, Member, Token
from tests.accounts.browser import NOW, Clock
from tests.conftest import PASSWORD, a_member
from tests.web.pages.conftest import SignedIn, Visitor
from tests.web.pages.reading import Page, read

ALL = [scope.value for scope in Scope]


@pytest.fixture
def browser(clock: Clock, visitor: SignedIn, manager: Member) -> Visitor:
    return visitor(manager)


def make(browser: Visitor, **other: Any) -> Any:
    fields = {
        "name": "the night's machine",
        "scopes": ALL,
        "days": "365",
        "password": PASSWORD,
    } | other
    return browser.post("/account/tokens/new", fields)


def secret_of(page: Page) -> str:
    found = re.search(r"Authorization: Bearer (rb_\w+)", page.text)
    assert found
    return found[1]


def test_there_are_none_at_first(browser: Visitor) -> None:
    page = browser.read(browser.read("/account").links["Tokens"])
    assert page.heading == "Tokens"
    assert "You have none yet." in page.text
    assert page.links["Make a token"] == "/account/tokens/new"


def test_a_token_is_shown_once_with_what_to_do(browser: Visitor, manager: Member) -> None:
    response = make(browser)
    assert (response.status_code, "no-store" in response["Cache-Control"]) == (200, True)
    page = read(response)
    assert page.heading == "Your token"
    secret = secret_of(page)
    assert api_tokens.sign_in(secret, "198.51.100.7", NOW).member == manager
    assert "curl -H @token.txt -X POST https://localhost:8443/slc/studentupdate/status" in page.text
    for address in ("/account/tokens", "/account", "/account/tokens/new"):
        assert secret not in browser.get(address).content.decode()
    token = Token.objects.get()
    event = AuditEvent.objects.get(action="make token")
    assert (event.member, event.result, event.detail) == (
        manager,
        "ok",
        f"token {token.key}: start, status, cancel",
    )


def test_the_list_tells_name_scope_end_and_last_use(browser: Visitor, manager: Member) -> None:
    page = read(make(browser, scopes=["status"], days="30"))
    secret = secret_of(page)
    key = secret[3:11]
    expected = [
        "the night's machine",
        f"rb_{key}",
        "status",
        "✓ good",
        "2026-12-23 02:00:00 CST",
        "never",
        "2026-11-23 02:00:00 CST",
        f"Revoke the night's machine, rb_{key}",
    ]
    assert browser.read("/account/tokens").rows == [expected]
    api_tokens.sign_in(secret, "198.51.100.7", NOW)
    assert browser.read("/account/tokens").rows[0][5] == "2026-11-23 02:00:00 CST"


def test_revoked_it_stays_in_the_list_as_that(browser: Visitor, manager: Member) -> None:
    secret = secret_of(read(make(browser)))
    token = Token.objects.get()
    response = browser.post(f"/account/tokens/{token.pk}/revoke")
    page = browser.follow(response)
    assert page.messages == [
        "the night's machine is revoked: a script that still sends it is turned away."
    ]
    assert page.rows[0][3] == "■ revoked"
    assert page.rows[0][7] == ""
    with pytest.raises(api_tokens.TokenRejected):
        api_tokens.sign_in(secret, "198.51.100.7", NOW)
    response = browser.post(f"/account/tokens/{token.pk}/revoke")
    assert browser.follow(response).messages == ["That token was not good any more."]
    assert AuditEvent.objects.get(action="revoke token").detail == f"token {token.key}"


def test_one_that_is_over_is_told_so(browser: Visitor, manager: Member) -> None:
    api_tokens.create(manager, "old", tuple(Scope), NOW - timedelta(days=40), timedelta(days=30))
    assert browser.read("/account/tokens").rows[0][3] == "■ expired"


def test_a_colleagues_are_neither_seen_nor_revoked(browser: Visitor, manager: Member) -> None:
    ben = a_member(manager.district, "ben@maple.example")
    token, secret = api_tokens.create(ben, "Ben's", tuple(Scope), NOW)
    assert browser.read("/account/tokens").rows == []
    assert browser.post(f"/account/tokens/{token.pk}/revoke").status_code == 404
    assert api_tokens.sign_in(secret, "198.51.100.7", NOW)


@pytest.mark.parametrize("days", ["30", "90", "365", "730"])
def test_how_long_it_is_good_is_chosen(browser: Visitor, days: str) -> None:
    make(browser, days=days)
    assert Token.objects.get().expires_at == NOW + timedelta(days=int(days))


def test_a_year_and_all_three_commands_are_offered_first(browser: Visitor) -> None:
    values = browser.read("/account/tokens/new").form().values
    assert (values["days"], values["scopes"]) == (["365"], ALL)


@pytest.mark.parametrize(
    ("other", "field", "reason"),
    [
        ({"name": ""}, "name", "This field is required."),
        ({"days": "100000"}, "days", "Select a valid choice."),
        ({"password": "not my password"}, "password", "That isn’t your password. Try again."),
    ],
)
def test_what_is_missing_is_told_at_its_field(
    browser: Visitor, other: dict[str, Any], field: str, reason: str
) -> None:
    response = make(browser, **other)
    assert response.status_code == 422
    assert reason in read(response).described(field)
    assert not Token.objects.exists()


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        ({"scopes": []}, "It would be for no command; choose one at least."),
        ({"name": "x" * 61}, "The name is missing, longer than 60 characters, or not on one line."),
    ],
)
def test_what_speaks_against_it_stands_above_the_form(
    browser: Visitor, other: dict[str, Any], reason: str
) -> None:
    response = make(browser, **other)
    assert response.status_code == 422
    assert reason in read(response).text
    assert not Token.objects.exists()


def test_a_scope_that_is_none_is_none(browser: Visitor) -> None:
    assert make(browser, scopes=["start", "everything"]).status_code == 422
    assert not Token.objects.exists()


def test_there_are_twenty_at_most(browser: Visitor, manager: Member) -> None:
    for number in range(MAX_TOKENS):
        api_tokens.create(manager, f"{number}", tuple(Scope), NOW)
    response = make(browser)
    assert "You have 20 tokens already; revoke one first." in read(response).text


def test_guessing_the_password_here_is_guessing_at_the_sign_in(browser: Visitor) -> None:
    for _ in range(PER_LOGIN_AND_ADDRESS):
        assert make(browser, password="a guess").status_code == 422
    assert make(browser).status_code == 429
    assert not Token.objects.exists()


def test_neither_password_nor_token_is_in_an_answer_or_the_mail(browser: Visitor) -> None:
    refused = make(browser, scopes=[])
    assert PASSWORD not in refused.content.decode()
    secret = secret_of(read(make(browser)))
    mails.send_due()
    (sent,) = mail.outbox
    assert sent.subject == "[Maple USD] A token for Rollbook was made"
    assert secret not in str(sent.message())


def test_a_name_that_looks_like_html_is_shown_as_it_is(browser: Visitor) -> None:
    make(browser, name="<b>night</b>")
    page = browser.read("/account/tokens")
    assert page.rows[0][0] == "<b>night</b>"


def test_who_may_not_update_students_has_none(visitor: SignedIn, school_manager: Member) -> None:
    browser = visitor(school_manager)
    for address in ("/account/tokens", "/account/tokens/new"):
        assert browser.get(address).status_code == 403
