"""The secret in a mailed link: what it opens, once, and for how long."""

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
    """What is signed tells its age by this clock."""
    at = time.time() + seconds
    monkeypatch.setattr(time, "time", lambda: at)


@pytest.mark.parametrize("kind", KINDS)
def test_a_link_tells_whose_it_is_and_of_which_kind(manager: Member, kind: AccountMailKind) -> None:
    assert emailed_links.read(emailed_links.make(manager, kind)) == (manager, kind)


def test_reading_does_not_use_it_up(manager: Member) -> None:
    token = emailed_links.make(manager, AccountMailKind.INVITATION)
    assert emailed_links.read(token) == emailed_links.read(token)


@pytest.mark.parametrize(("kind", "minutes"), [(KINDS[0], 7 * 24 * 60), (KINDS[1], 60)])
def test_an_invitation_is_good_for_seven_days_and_another_link_for_an_hour(
    manager: Member, monkeypatch: pytest.MonkeyPatch, kind: AccountMailKind, minutes: int
) -> None:
    token = emailed_links.make(manager, kind)
    later(monkeypatch, (minutes - 1) * ONE_MINUTE)
    assert emailed_links.read(token) == (manager, kind)
    later(monkeypatch, minutes * ONE_MINUTE + 5)
    with pytest.raises(LinkExpired):
        emailed_links.read(token)


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
def test_it_ends_when(manager: Member, kind: AccountMailKind, change: Callable[[], object]) -> None:
    token = emailed_links.make(manager, kind)
    change()
    with pytest.raises(LinkExpired):
        emailed_links.read(token)


def test_an_invitation_is_used_up_by_the_first_password(manager: Member) -> None:
    Member.objects.update(password=make_password(None))
    manager.refresh_from_db()
    token = emailed_links.make(manager, AccountMailKind.INVITATION)
    assert emailed_links.read(token)
    Member.objects.update(password=make_password("a first long password"))
    with pytest.raises(LinkExpired):
        emailed_links.read(token)


@pytest.mark.parametrize("kind", KINDS)
def test_no_character_of_it_may_be_another(manager: Member, kind: AccountMailKind) -> None:
    token = emailed_links.make(manager, kind)
    for place, char in enumerate(token[:-1]):  # the last one has bits that mean nothing
        with pytest.raises(LinkExpired):
            emailed_links.read(f"{token[:place]}{'0' if char != '0' else '1'}{token[place + 1 :]}")


@pytest.mark.parametrize(
    "token", ["", ".", "...", "1", "1.2.3.4", "\0", "\ud800", "x" * 10_000, "%2e", "é.é.é"]
)
def test_rubbish_is_a_bad_link(db: None, token: str) -> None:
    with pytest.raises(LinkExpired):
        emailed_links.read(token)


def test_what_is_signed_for_something_else_is_no_link(manager: Member) -> None:
    _, _, fingerprint = emailed_links.make(manager, AccountMailKind.INVITATION).partition(".")
    stranger = signing.TimestampSigner(sep=".", salt="something else")
    with pytest.raises(LinkExpired):
        emailed_links.read(stranger.sign(f"{manager.pk}.{fingerprint.split('.')[0]}"))


def test_a_link_made_for_who_is_not_active_opens_nothing(manager: Member) -> None:
    Member.objects.update(is_active=False)
    manager.refresh_from_db()
    with pytest.raises(LinkExpired):
        emailed_links.read(emailed_links.make(manager, AccountMailKind.INVITATION))


def test_the_link_of_a_member_who_is_gone_is_bad(manager: Member) -> None:
    token = emailed_links.make(manager, AccountMailKind.INVITATION)
    Member.objects.all().delete()
    with pytest.raises(LinkExpired):
        emailed_links.read(token)


def test_why_a_link_is_bad_is_the_same_whatever_it_is_and_says_what_to_do() -> None:
    assert (
        str(LinkExpired())
        == "This link has been used, is too old, or is not complete. Ask for a new one."
    )


@pytest.mark.parametrize("kind", KINDS)
def test_a_token_fits_into_a_url_and_tells_nothing_of_the_member(
    manager: Member, kind: AccountMailKind
) -> None:
    token = emailed_links.make(manager, kind)
    assert re.fullmatch(r"[A-Za-z0-9._-]{80,160}", token)
    told = [
        token,
        *(base64.urlsafe_b64decode(part + "==").decode("latin-1") for part in token.split(".")[1:]),
    ]
    for fact in (manager.email, "ops", "Ana", "Ruiz", manager.password[-20:]):
        assert not any(fact in text for text in told)


def test_it_leads_to_the_address_of_the_settings() -> None:
    assert emailed_links.address("abc") == f"{settings.URL}/password/abc"
