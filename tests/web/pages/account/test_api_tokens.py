"""/account/tokens: list, create and revoke tokens; a new token is shown once."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail

from rollbook.accounts import mails
from rollbook.accounts.auth import api_tokens
from rollbook.accounts.auth.api_tokens import MAX_TOKENS, Scope
from rollbook.accounts.auth.throttle import MAX_FAILURES_PER_LOGIN_AND_ADDRESS
from rollbook.accounts.models import AuditEvent, Member, Token
from tests.accounts.browser import NOW, Clock
from tests.conftest import PASSWORD, make_member
from tests.web.pages.conftest import SignedIn, Visitor
from tests.web.pages.reading import Page, read

USUAL = ["start", "status", "cancel"]


@pytest.fixture
def browser(clock: Clock, visitor: SignedIn, manager: Member) -> Visitor:
    return visitor(manager)


def create(browser: Visitor, **changes: Any) -> Any:
    fields = {
        "name": "the night's machine",
        "scopes": USUAL,
        "days": "365",
        "password": PASSWORD,
    } | changes
    return browser.post("/account/tokens/new", fields)


def secret_of(page: Page) -> str:
    match = re.search(r"Authorization: Bearer (rb_\w+)", page.text)
    assert match
    return match[1]


def test_there_are_no_tokens_at_first(browser: Visitor) -> None:
    page = browser.read(browser.read("/account").links["Tokens"])
    assert page.heading == "Tokens"
    assert "You don’t have any tokens yet." in page.text
    assert page.links["Create token"] == "/account/tokens/new"


@pytest.mark.statement("S12")
def test_a_token_is_shown_once_with_instructions(browser: Visitor, manager: Member) -> None:
    response = create(browser)
    assert (response.status_code, "no-store" in response["Cache-Control"]) == (200, True)
    page = read(response)
    assert page.heading == "Your token"
    secret = secret_of(page)
    assert api_tokens.sign_in(secret, "198.51.100.7", NOW).member == manager
    assert "curl -H @token.txt -X POST https://localhost:8443/slc/studentupdate/status" in page.text
    for address in ("/account/tokens", "/account", "/account/tokens/new"):
        assert secret not in browser.get(address).content.decode()
    token = Token.objects.get()
    event = AuditEvent.objects.get(action="create token")
    assert (event.member, event.result, event.detail) == (
        manager,
        "ok",
        f"token {token.key}: start, status, cancel",
    )


def test_the_list_shows_name_scope_expiry_and_last_use(browser: Visitor, manager: Member) -> None:
    page = read(create(browser, scopes=["status"], days="30"))
    secret = secret_of(page)
    key = secret[3:11]
    expected = [
        "the night's machine",
        f"rb_{key}",
        "status",
        "✓ active",
        "Dec 23, 2026, 2:00 AM CST",
        "never",
        "Nov 23, 2026, 2:00 AM CST",
        f"Revoke the night's machine, rb_{key}",
    ]
    assert browser.read("/account/tokens").rows == [expected]
    api_tokens.sign_in(secret, "198.51.100.7", NOW)
    assert browser.read("/account/tokens").rows[0][5] == "Nov 23, 2026, 2:00 AM CST"


def test_a_revoked_token_stays_in_the_list(browser: Visitor, manager: Member) -> None:
    secret = secret_of(read(create(browser)))
    token = Token.objects.get()
    response = browser.confirm(f"/account/tokens/{token.pk}/revoke")
    page = browser.follow(response)
    assert page.messages == ["Token revoked: the night's machine. Scripts can no longer use it."]
    assert page.rows[0][3] == "■ revoked"
    assert page.rows[0][7] == ""
    with pytest.raises(api_tokens.TokenRejected):
        api_tokens.sign_in(secret, "198.51.100.7", NOW)
    response = browser.confirm(f"/account/tokens/{token.pk}/revoke")
    assert browser.follow(response).messages == ["That token had already expired or been revoked."]
    assert AuditEvent.objects.get(action="revoke token").detail == f"token {token.key}"


def test_an_expired_token_is_marked(browser: Visitor, manager: Member) -> None:
    api_tokens.create(manager, "old", tuple(Scope), NOW - timedelta(days=40), timedelta(days=30))
    assert browser.read("/account/tokens").rows[0][3] == "■ expired"


def test_tokens_of_a_colleague_cannot_be_seen_or_revoked(browser: Visitor, manager: Member) -> None:
    ben = make_member(manager.district, "ben@maple.example")
    token, secret = api_tokens.create(ben, "Ben's", tuple(Scope), NOW)
    assert browser.read("/account/tokens").rows == []
    assert browser.post(f"/account/tokens/{token.pk}/revoke").status_code == 404
    assert api_tokens.sign_in(secret, "198.51.100.7", NOW)


@pytest.mark.parametrize("days", ["30", "90", "365", "730"])
def test_the_lifetime_is_chosen(browser: Visitor, days: str) -> None:
    create(browser, days=days)
    assert Token.objects.get().expires_at == NOW + timedelta(days=int(days))


def test_a_year_and_no_decision_are_the_defaults(browser: Visitor) -> None:
    values = browser.read("/account/tokens/new").form().values
    assert (values["days"], values["scopes"]) == (["365"], USUAL)


@pytest.mark.parametrize(
    ("other", "field", "reason"),
    [
        ({"name": ""}, "name", "This field is required."),
        ({"days": "100000"}, "days", "Select a valid choice."),
        ({"password": "not my password"}, "password", "That isn’t your password. Try again."),
    ],
)
def test_an_invalid_value_is_reported_at_its_field(
    browser: Visitor, other: dict[str, Any], field: str, reason: str
) -> None:
    response = create(browser, **other)
    assert response.status_code == 422
    assert reason in read(response).described(field)
    assert not Token.objects.exists()


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        ({"scopes": []}, "Choose at least one"),
        ({"name": "x" * 61}, "The name is missing, longer than 60 characters, or not on one line."),
    ],
)
def test_an_invalid_token_is_reported_above_the_form(
    browser: Visitor, other: dict[str, Any], reason: str
) -> None:
    response = create(browser, **other)
    assert response.status_code == 422
    assert reason in read(response).text
    assert not Token.objects.exists()


def test_an_unknown_scope_is_rejected(browser: Visitor) -> None:
    assert create(browser, scopes=["start", "everything"]).status_code == 422
    assert not Token.objects.exists()


def test_a_member_has_twenty_tokens_at_most(browser: Visitor, manager: Member) -> None:
    for number in range(MAX_TOKENS):
        api_tokens.create(manager, f"{number}", tuple(Scope), NOW)
    response = create(browser)
    assert "You already have 20 tokens" in read(response).text


@pytest.mark.statement("S10")
def test_wrong_passwords_count_as_failed_sign_ins(browser: Visitor) -> None:
    for _ in range(MAX_FAILURES_PER_LOGIN_AND_ADDRESS):
        assert create(browser, password="a guess").status_code == 422
    assert create(browser).status_code == 429
    assert not Token.objects.exists()


def test_no_response_or_email_contains_the_password_or_the_token(browser: Visitor) -> None:
    response = create(browser, scopes=[])
    assert PASSWORD not in response.content.decode()
    secret = secret_of(read(create(browser)))
    mails.send_due()
    (sent,) = mail.outbox
    assert sent.subject == "A Rollbook token was created · Maple USD"
    assert secret not in str(sent.message())


def test_a_name_that_looks_like_html_is_escaped(browser: Visitor) -> None:
    create(browser, name="<b>night</b>")
    page = browser.read("/account/tokens")
    assert page.rows[0][0] == "<b>night</b>"


def test_tokens_require_the_permission_to_update_students(
    visitor: SignedIn, school_manager: Member
) -> None:
    browser = visitor(school_manager)
    for address in ("/account/tokens", "/account/tokens/new"):
        assert browser.get(address).status_code == 403


def test_limits_are_chosen_and_shown(browser: Visitor) -> None:
    limits = {
        "networks": "203.0.113.7, 198.51.100.0/24",
        "modes": ["update"],
        "columns": ["STATUS", "PASSWORD"],
        "percent": "5",
    }
    page = read(create(browser, **limits))
    token = Token.objects.get()
    assert token.networks == ["203.0.113.7", "198.51.100.0/24"]
    assert token.limits == {"modes": ["update"], "columns": ["STATUS", "PASSWORD"], "percent": 5}
    assert "Never changes STATUS and PASSWORD." in page.text
    assert "Works only from 203.0.113.7" in browser.read("/account/tokens").rows[0][2]


def test_a_network_that_is_none_is_refused(browser: Visitor) -> None:
    response = create(browser, networks="our school")
    assert response.status_code == 422
    assert "'our' isn't an address or a network" in read(response).text
    assert not Token.objects.exists()


@pytest.mark.statement("S57")
def test_a_district_manager_revokes_all_tokens_of_the_district(
    browser: Visitor, manager: Member, neighbor: Member
) -> None:
    for owner in (manager, make_member(manager.district, "ben@maple.example"), neighbor):
        api_tokens.create(owner, "night", tuple(Scope), NOW)
    page = browser.read(browser.read("/staff").links["Tokens of staff"])
    assert len(page.rows) == 2
    page = browser.follow(browser.confirm("/staff/tokens/revoke"))
    assert page.messages == ["2 tokens revoked. Scripts can no longer use them."]
    assert "Nobody has a token that works." in page.text
    assert [token.member for token in Token.objects.filter(revoked_at=None)] == [neighbor]
    assert AuditEvent.objects.get(action="revoke token").detail == "all of the district: 2"
