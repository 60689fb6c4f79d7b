"""Tokens in emailed links: what they are valid for, and for how long."""

import base64
import re
import time
from collections.abc import Callable

import pytest
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.core import signing

from rollbook.accounts.auth import emailed_links
from rollbook.accounts.auth.emailed_links import LinkExpired
from rollbook.accounts.models import AccountMailKind, Member

KINDS = list(emailed_links.LIFETIME)
ONE_MINUTE = 60


def later(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """Move the clock with which the age of tokens is computed."""
    at = time.time() + seconds
    monkeypatch.setattr(time, "time", lambda: at)


@pytest.mark.parametrize("kind", KINDS)
def test_a_token_returns_its_member_and_kind(manager: Member, kind: AccountMailKind) -> None:
    assert emailed_links.read_token(emailed_links.make_token(manager, kind)) == (manager, kind)


def test_reading_does_not_use_up_the_token(manager: Member) -> None:
    token = emailed_links.make_token(manager, AccountMailKind.INVITATION)
    assert emailed_links.read_token(token) == emailed_links.read_token(token)


@pytest.mark.statement("S08", "S09")
@pytest.mark.parametrize(("kind", "minutes"), [(KINDS[0], 7 * 24 * 60), (KINDS[1], 60)])
def test_an_invitation_works_for_seven_days_and_a_reset_for_an_hour(
    manager: Member, monkeypatch: pytest.MonkeyPatch, kind: AccountMailKind, minutes: int
) -> None:
    token = emailed_links.make_token(manager, kind)
    later(monkeypatch, (minutes - 1) * ONE_MINUTE)
    assert emailed_links.read_token(token) == (manager, kind)
    later(monkeypatch, minutes * ONE_MINUTE + 5)
    with pytest.raises(LinkExpired):
        emailed_links.read_token(token)


@pytest.mark.parametrize(
    "change",
    [
        lambda: Member.objects.update(password=make_password("another long password")),
        lambda: Member.objects.update(email="other@maple.example"),
        lambda: Member.objects.update(is_active=False),
    ],
    ids=["a password is set", "the address changes", "the member leaves"],
)
@pytest.mark.parametrize("kind", KINDS)
def test_a_token_is_invalid_after(
    manager: Member, kind: AccountMailKind, change: Callable[[], object]
) -> None:
    token = emailed_links.make_token(manager, kind)
    change()
    with pytest.raises(LinkExpired):
        emailed_links.read_token(token)


@pytest.mark.statement("S08")
def test_setting_a_password_uses_up_an_invitation(manager: Member) -> None:
    Member.objects.update(password=make_password(None))
    manager.refresh_from_db()
    token = emailed_links.make_token(manager, AccountMailKind.INVITATION)
    assert emailed_links.read_token(token)
    Member.objects.update(password=make_password("a first long password"))
    with pytest.raises(LinkExpired):
        emailed_links.read_token(token)


@pytest.mark.parametrize("kind", KINDS)
def test_a_token_with_a_changed_character_is_invalid(
    manager: Member, kind: AccountMailKind
) -> None:
    token = emailed_links.make_token(manager, kind)
    for index, char in enumerate(token[:-1]):  # some bits of the last one are unused
        with pytest.raises(LinkExpired):
            emailed_links.read_token(
                f"{token[:index]}{'0' if char != '0' else '1'}{token[index + 1 :]}"
            )


@pytest.mark.parametrize(
    "token", ["", ".", "...", "1", "1.2.3.4", "\0", "\ud800", "x" * 10_000, "%2e", "é.é.é"]
)
def test_invalid_text_is_rejected(db: None, token: str) -> None:
    with pytest.raises(LinkExpired):
        emailed_links.read_token(token)


def test_text_signed_for_another_purpose_is_rejected(manager: Member) -> None:
    _, _, fingerprint = emailed_links.make_token(manager, AccountMailKind.INVITATION).partition(".")
    other_signer = signing.TimestampSigner(sep=".", salt="something else")
    with pytest.raises(LinkExpired):
        emailed_links.read_token(other_signer.sign(f"{manager.pk}.{fingerprint.split('.')[0]}"))


def test_a_token_of_an_inactive_member_is_invalid(manager: Member) -> None:
    Member.objects.update(is_active=False)
    manager.refresh_from_db()
    with pytest.raises(LinkExpired):
        emailed_links.read_token(emailed_links.make_token(manager, AccountMailKind.INVITATION))


def test_a_token_of_a_deleted_member_is_invalid(manager: Member) -> None:
    token = emailed_links.make_token(manager, AccountMailKind.INVITATION)
    Member.objects.all().delete()
    with pytest.raises(LinkExpired):
        emailed_links.read_token(token)


def test_the_error_does_not_say_why_but_what_to_do() -> None:
    assert (
        str(LinkExpired())
        == "This link has expired, has already been used, or isn't complete. Request a new one."
    )


@pytest.mark.parametrize("kind", KINDS)
def test_a_token_is_url_safe_and_contains_no_member_data(
    manager: Member, kind: AccountMailKind
) -> None:
    token = emailed_links.make_token(manager, kind)
    assert re.fullmatch(r"[A-Za-z0-9._-]{80,160}", token)
    texts = [
        token,
        *(base64.urlsafe_b64decode(part + "==").decode("latin-1") for part in token.split(".")[1:]),
    ]
    for value in (manager.email, "ops", "Ana", "Ruiz", manager.password[-20:]):
        assert not any(value in text for text in texts)


@pytest.mark.statement("S09")
def test_the_link_uses_the_url_setting() -> None:
    assert emailed_links.link_url("abc") == f"{settings.URL}/password/abc"
