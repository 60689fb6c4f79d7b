"""Tokens: secrets by which scripts act as the member who made them, on the three commands and nowhere else.

A token is ``rb_``, eight letters and digits by which it is found, and 32 random ones. These are 190 bits: nobody finds
them by trying, so a plain digest is kept, and looking for one costs next to nothing.
"""

import hashlib
import hmac
import re
import secrets
import string
from collections.abc import Collection
from datetime import datetime, timedelta
from enum import StrEnum

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from rollbook.accounts import mails
from rollbook.accounts.audit import log
from rollbook.accounts.auth import sign_in as auth_sign_in
from rollbook.accounts.auth import throttle
from rollbook.accounts.models import AccountMailKind, Member, Token
from rollbook.validation import ValidationFailed, name_problems

MAX_NAME_LENGTH = 60
DEFAULT_LIFETIME = timedelta(days=365)
MAX_LIFETIME = timedelta(days=730)
MAX_TOKENS = 20
"""Tokens of one member that are good at a time."""

LAST_USED_RESOLUTION = timedelta(
    minutes=1
)  # for each note of it a script would have to wait for the disk

_ALPHABET = (
    string.ascii_letters + string.digits
)  # what neither a form nor a shell reads as something else
_KEY, _RANDOM = 8, 32
_TOKEN = re.compile(rf"rb_([A-Za-z0-9]{{{_KEY}}})[A-Za-z0-9]{{{_RANDOM}}}")


class Scope(StrEnum):
    """The commands that a token may be for."""

    START = "start"
    STATUS = "status"
    CANCEL = "cancel"


class TokenRejected(Exception):
    """The token is none, is too old or revoked, or its member is not active any more: one answer for all."""


class InvalidToken(ValidationFailed):
    """There can be no such token."""


def create(
    member: Member,
    name: str,
    scopes: Collection[Scope],
    now: datetime,
    good_for: timedelta = DEFAULT_LIFETIME,
) -> tuple[Token, str]:
    """A new token of the member's, and the secret itself, which is told this once. The member is mailed its name.

    Raises TokenNotMade with every reason.
    """
    name = " ".join(name.split())
    secret = f"rb_{_random(_KEY)}{_random(_RANDOM)}"
    with transaction.atomic():
        Member.objects.select_for_update().get(pk=member.pk)  # of two that count, one waits
        if reasons := _problems(member, name, scopes, now, good_for):
            raise InvalidToken(reasons)
        token = Token.objects.create(
            member=member,
            name=name,
            key=_key_of(secret),
            digest=_digest(secret),
            scopes=[scope.value for scope in Scope if scope in scopes],
            created_at=now,
            expires_at=now + good_for,
        )
        mails.queue_mail(member, AccountMailKind.TOKEN_MADE, now, about=name)
    return token, secret


def sign_in(secret: str, address: str, now: datetime, agent: str = "") -> Token:
    """The good token that this is, with its member. Raises TokenFailed, or Throttled before anything is looked up.

    A wrong one counts as a sign-in that failed from this address, of no login: else a stranger who has seen how a token
    begins could stop the scripts of its member.
    """
    throttle.check_address(address, now)
    known = (
        Token.objects.select_related("member__district", "member__role")
        .filter(key=_key_of(secret))
        .first()
    )
    if known is None or not _is_valid(known, secret, now):
        _note_failure(known, address, agent, now)
        raise TokenRejected
    _note_use(known, now)
    auth_sign_in.record_sign_in(known.member, address, agent, now, f"token {known.key}")
    return known


def tokens_of(member: Member) -> QuerySet[Token]:
    """All that the member has made, the latest first."""
    return Token.objects.filter(member=member).order_by("-created_at", "-pk")


def active_tokens(member: Member, now: datetime) -> QuerySet[Token]:
    """Those that can be used."""
    return tokens_of(member).filter(revoked_at=None, expires_at__gt=now)


def revoke(member: Member, key: int, now: datetime) -> Token | None:
    """This token of the member's is good no more; None if there is none, or there was nothing to revoke."""
    with transaction.atomic():
        revoked = active_tokens(member, now).filter(pk=key).update(revoked_at=now)
    return tokens_of(member).get(pk=key) if revoked else None


def revoke_all(member: Member) -> int:
    """All tokens of a member who goes; returns how many were good. They stay revoked if the member comes back."""
    now = timezone.now()
    with transaction.atomic():
        return active_tokens(member, now).update(revoked_at=now)


def _is_valid(token: Token, secret: str, now: datetime) -> bool:
    is_it = hmac.compare_digest(token.digest, _digest(secret))
    return is_it and token.revoked_at is None and token.expires_at > now and token.member.is_active


def _problems(
    member: Member, name: str, scopes: Collection[Scope], now: datetime, good_for: timedelta
) -> list[str]:
    found = name_problems("name", name, MAX_NAME_LENGTH)
    if not scopes:
        found.append("it would be for no command; choose one at least")
    if not timedelta() < good_for <= MAX_LIFETIME:
        found.append(f"it can be good for {MAX_LIFETIME.days} days at most")
    if active_tokens(member, now).count() >= MAX_TOKENS:
        found.append(f"you have {MAX_TOKENS} tokens already; revoke one first")
    return found


def _note_use(token: Token, now: datetime) -> None:
    if token.last_used_at is None or now - token.last_used_at >= LAST_USED_RESOLUTION:
        with transaction.atomic():
            Token.objects.filter(pk=token.pk).update(last_used_at=now)


def _note_failure(token: Token | None, address: str, agent: str, now: datetime) -> None:
    with transaction.atomic():
        throttle.record_failure("", address, now)
        log.record(
            "sign in", "failed", member=token.member if token else None, address=address, agent=agent,
            detail=f"token {token.key}" if token else "token", now=now,
        )  # fmt: skip


def _key_of(secret: str) -> str:
    """Empty for what is no token, and then nobody's key."""
    found = _TOKEN.fullmatch(secret)
    return found[1] if found else ""


def _random(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
