"""API tokens: creating, signing in, expiry, revoking and rate limits."""

import re
from datetime import timedelta

import pytest
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext

from rollbook.accounts import mails
from rollbook.accounts.auth import api_tokens, throttle
from rollbook.accounts.auth.api_tokens import MAX_TOKENS, InvalidToken, Scope, TokenRejected
from rollbook.accounts.auth.throttle import RateLimited
from rollbook.accounts.members import changes
from rollbook.accounts.models import AuditEvent, KnownAddress, Member, SignInFailure, Token
from tests.accounts.browser import HERE, NOW, Clock
from tests.conftest import make_member

pytestmark = pytest.mark.usefixtures("clock")

ALL = tuple(Scope)


def a_token(
    member: Member, name: str = "night", scopes: tuple[Scope, ...] = ALL
) -> tuple[Token, str]:
    return api_tokens.create(member, name, scopes, NOW)


@pytest.mark.statement("S12")
def test_a_token_begins_with_rb_and_is_letters_and_digits(manager: Member) -> None:
    secrets = [a_token(manager)[1] for _ in range(5)]
    assert all(re.fullmatch(r"rb_[A-Za-z0-9]{40}", secret) for secret in secrets)
    assert (
        len({secret[3:11] for secret in secrets}) == len({secret[11:] for secret in secrets}) == 5
    )


def test_a_token_signs_its_member_in(manager: Member) -> None:
    created, secret = a_token(manager, scopes=(Scope.STATUS, Scope.START))
    token = api_tokens.sign_in(secret, HERE, NOW, "curl/8")
    assert (token, token.member, token.scopes) == (created, manager, ["start", "status"])


@pytest.mark.statement("S12")
def test_only_a_digest_of_the_secret_is_stored(manager: Member) -> None:
    _, secret = a_token(manager)
    stored = str(Token.objects.values())
    assert secret not in stored
    assert secret[11:] not in stored
    assert secret[3:11] in stored


@pytest.mark.statement("S12")
def test_the_stored_data_does_not_sign_in(manager: Member) -> None:
    token, _ = a_token(manager)
    for guess in (
        token.key,
        f"rb_{token.key}",
        f"rb_{token.key}{token.digest}",
        f"rb_{token.key}{token.digest[:32]}",
    ):
        with pytest.raises(TokenRejected):
            api_tokens.sign_in(guess, HERE, NOW)


def test_a_token_is_valid_for_a_year_by_default(manager: Member) -> None:
    token, _ = a_token(manager)
    assert token.expires_at == NOW + timedelta(days=365)
    short, _ = api_tokens.create(manager, "short", ALL, NOW, timedelta(days=30))
    assert short.expires_at == NOW + timedelta(days=30)


@pytest.mark.statement("S12")
def test_an_expired_token_is_rejected(manager: Member) -> None:
    _, secret = api_tokens.create(manager, "short", ALL, NOW, timedelta(days=30))
    assert api_tokens.sign_in(secret, HERE, NOW + timedelta(days=30, seconds=-1))
    with pytest.raises(TokenRejected):
        api_tokens.sign_in(secret, HERE, NOW + timedelta(days=30))


@pytest.mark.statement("S12")
def test_a_revoked_token_is_rejected(manager: Member) -> None:
    token, secret = a_token(manager)
    assert api_tokens.revoke(manager, token.pk, NOW) == token
    with pytest.raises(TokenRejected):
        api_tokens.sign_in(secret, HERE, NOW)
    assert api_tokens.revoke(manager, token.pk, NOW) is None


def test_tokens_of_another_member_cannot_be_revoked(manager: Member, neighbor: Member) -> None:
    token, secret = a_token(neighbor)
    assert api_tokens.revoke(manager, token.pk, NOW) is None
    assert api_tokens.sign_in(secret, HERE, NOW)


@pytest.mark.statement("S05")
def test_tokens_of_inactive_members_are_rejected(manager: Member) -> None:
    _, secret = a_token(manager)
    Member.objects.update(is_active=False)
    with pytest.raises(TokenRejected):
        api_tokens.sign_in(secret, HERE, NOW)


@pytest.mark.statement("S05")
def test_deactivating_a_member_revokes_tokens_permanently(manager: Member) -> None:
    ben = make_member(manager.district, "ben@maple.example")
    _, secret = a_token(ben)
    changes.deactivate(ben, manager)
    changes.reactivate(ben, manager)
    with pytest.raises(TokenRejected):
        api_tokens.sign_in(secret, HERE, NOW)


@pytest.mark.parametrize(
    "secret", ["", "rb_", "rb_12345678", "x" * 43, "\0", "\ud800", "Bearer x", "rb_" + "é" * 40]
)
def test_invalid_text_is_rejected(manager: Member, secret: str) -> None:
    a_token(manager)
    with pytest.raises(TokenRejected):
        api_tokens.sign_in(secret, HERE, NOW)


def test_a_token_with_one_changed_character_is_rejected(manager: Member) -> None:
    _, secret = a_token(manager)
    other = "a" if secret[-1] != "a" else "b"
    for wrong in (secret + "a", secret[:-1], secret[:-1] + other, secret.swapcase(), f" {secret}"):
        with pytest.raises(TokenRejected):
            api_tokens.sign_in(wrong, HERE, NOW)


def test_a_wrong_token_is_counted_and_audited_as_a_failed_sign_in(manager: Member) -> None:
    token, secret = a_token(manager)
    with pytest.raises(TokenRejected):
        api_tokens.sign_in(secret[:-4] + "0000", HERE, NOW, "curl/8")
    assert SignInFailure.objects.get().address == HERE
    event = AuditEvent.objects.get()
    assert (event.action, event.result, event.member, event.detail) == (
        "sign in", "failed", manager, f"token {token.key}",
    )  # fmt: skip


def test_an_unknown_token_is_audited_without_a_member(db: None) -> None:
    with pytest.raises(TokenRejected):
        api_tokens.sign_in("rb_" + "zQ" * 20, HERE, NOW)
    event = AuditEvent.objects.get()
    assert (event.member, event.detail) == (None, "token")


@pytest.mark.statement("S04", "S12")
def test_a_valid_token_is_never_throttled(manager: Member) -> None:
    _, secret = a_token(manager)
    for _ in range(throttle.MAX_CHECKED_PER_ADDRESS):
        with pytest.raises((TokenRejected, RateLimited)):
            api_tokens.sign_in("rb_wrong", HERE, NOW)
    with pytest.raises(RateLimited):
        api_tokens.sign_in("rb_wrong", HERE, NOW)
    assert api_tokens.sign_in(secret, HERE, NOW)
    assert SignInFailure.objects.count() == throttle.MAX_CHECKED_PER_ADDRESS


def test_guesses_with_a_known_key_do_not_block_scripts(manager: Member) -> None:
    _, secret = a_token(manager)
    for number in range(throttle.MAX_FAILURES_PER_LOGIN + 1):
        with pytest.raises(TokenRejected):
            api_tokens.sign_in(secret[:11] + "0" * 32, f"198.51.100.{number}", NOW)
    assert api_tokens.sign_in(secret, HERE, NOW)


def test_the_last_use_is_stored_once_a_minute(manager: Member, clock: Clock) -> None:
    token, secret = a_token(manager)

    def used() -> object:
        api_tokens.sign_in(secret, HERE, clock.now)
        token.refresh_from_db()
        return token.last_used_at

    assert used() == NOW
    clock.move(seconds=59)
    assert used() == NOW
    clock.move(seconds=1)
    assert used() == clock.now


def test_use_is_audited_once_a_day_for_each_address(manager: Member) -> None:
    token, secret = a_token(manager)
    for _ in range(3):
        api_tokens.sign_in(secret, HERE, NOW)
    event = AuditEvent.objects.get()
    assert (event.action, event.result, event.member, event.detail) == (
        "sign in",
        "ok",
        manager,
        f"token {token.key}",
    )
    assert KnownAddress.objects.get().address == HERE
    api_tokens.sign_in(secret, "198.51.100.7", NOW)
    api_tokens.sign_in(secret, HERE, NOW + timedelta(days=1))
    assert AuditEvent.objects.filter(action="sign in").count() == 3


def test_only_the_first_use_in_a_minute_writes(manager: Member) -> None:
    _, secret = a_token(manager)
    api_tokens.sign_in(secret, HERE, NOW)
    with CaptureQueriesContext(connection) as queries:
        api_tokens.sign_in(secret, HERE, NOW)
    assert not any(
        query["sql"].startswith(("INSERT", "UPDATE", "DELETE", "BEGIN")) for query in queries
    )


@pytest.mark.statement("S49")
def test_the_member_gets_an_email_with_the_name_only(manager: Member) -> None:
    _, secret = a_token(manager, "the night's machine")
    mails.send_due()
    (sent,) = mail.outbox
    assert sent.to == [manager.email]
    assert "the night's machine" in str(sent.body)
    for part in (secret, secret[3:11], secret[11:]):
        assert part not in str(sent.message())


@pytest.mark.parametrize(
    ("name", "scopes", "days", "reason"),
    [
        (" ", ALL, 30, "the name is missing, longer than 60 characters, or not on one line"),
        ("x" * 61, ALL, 30, "the name is missing, longer than 60 characters, or not on one line"),
        ("a\x1bb", ALL, 30, "the name is missing, longer than 60 characters, or not on one line"),
        ("night", (), 30, "choose at least one command that the token may call"),
        ("night", ALL, 731, "a token can be valid for at most 730 days"),
        ("night", ALL, 0, "a token can be valid for at most 730 days"),
    ],
)
def test_invalid_tokens_are_not_created(
    manager: Member, name: str, scopes: tuple[Scope, ...], days: int, reason: str
) -> None:
    with pytest.raises(InvalidToken) as caught:
        api_tokens.create(manager, name, scopes, NOW, timedelta(days=days))
    assert caught.value.reasons == [reason]
    assert not Token.objects.exists()


def test_a_member_can_have_twenty_active_tokens(manager: Member) -> None:
    tokens = [a_token(manager)[0] for _ in range(MAX_TOKENS)]
    with pytest.raises(InvalidToken, match="you already have 20 tokens; revoke one first"):
        a_token(manager)
    api_tokens.revoke(manager, tokens[0].pk, NOW)
    assert a_token(manager)


def test_a_member_sees_their_own_tokens_newest_first(manager: Member, neighbor: Member) -> None:
    first, _ = a_token(manager)
    a_token(neighbor)
    second, _ = api_tokens.create(manager, "later", ALL, NOW + timedelta(hours=1))
    api_tokens.revoke(manager, first.pk, NOW)
    assert list(api_tokens.tokens_of(manager)) == [second, first]
    assert list(api_tokens.active_tokens(manager, NOW)) == [second]
