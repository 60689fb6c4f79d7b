"""API tokens, with which scripts call the upload commands as the member who created them.

A token is ``rb_``, a key of 8 characters to look it up, and 32 random characters. Those have 190
bits and can't be guessed, so a plain digest is enough to store, and fast to verify.
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

from rollbook.accounts import mails, notices
from rollbook.accounts.audit import log
from rollbook.accounts.auth import sign_in as auth_sign_in
from rollbook.accounts.auth import throttle
from rollbook.accounts.auth.token_limits import NO_LIMITS, TokenLimits
from rollbook.accounts.models import AccountMailKind, Member, Token
from rollbook.accounts.notices import Notice
from rollbook.districts.models import District
from rollbook.text import count_of
from rollbook.validation import ValidationFailed, name_problems

MAX_NAME_LENGTH = 60
DEFAULT_LIFETIME = timedelta(days=365)
MAX_LIFETIME = timedelta(days=730)
"""Only if somebody chooses it; without a choice, a token ends after ``DEFAULT_LIFETIME``."""

MAX_TOKENS = 20
"""Maximum number of active tokens of a member."""

# Each update of the time of last use makes a script wait for the disk.
LAST_USED_RESOLUTION = timedelta(minutes=1)

_ELSEWHERE = "token not valid from here"
_ALPHABET = string.ascii_letters + string.digits  # no special meaning in forms and shells
_KEY_LENGTH, _RANDOM_LENGTH = 8, 32
_TOKEN = re.compile(rf"rb_([A-Za-z0-9]{{{_KEY_LENGTH}}})[A-Za-z0-9]{{{_RANDOM_LENGTH}}}")


class Scope(StrEnum):
    """What a token may call: an upload command, or both decisions about plans."""

    START = "start"
    STATUS = "status"
    CANCEL = "cancel"
    APPROVE = "approve"


class TokenRejected(Exception):
    """The token is unknown, expired or revoked, or its member is inactive.

    Deliberately the same error for all of these.
    """


class TokenElsewhere(Exception):
    """The token is valid, but not from this address.

    Attributes:
        token: The token.
    """

    def __init__(self, token: Token) -> None:
        super().__init__(token)
        self.token = token


class InvalidToken(ValidationFailed):
    """A token with this data can't be created."""


def create(
    member: Member,
    name: str,
    scopes: Collection[Scope],
    now: datetime,
    good_for: timedelta = DEFAULT_LIFETIME,
    limits: TokenLimits = NO_LIMITS,
) -> tuple[Token, str]:
    """Create a token, and email its name to the member.

    Args:
        member: The owner.
        name: By which the owner recognizes it.
        scopes: The upload commands that it may call.
        now: The current time.
        good_for: How long it is valid.
        limits: What it may be used for.

    Returns:
        The token and its secret, which can't be shown again.

    Raises:
        InvalidToken: With every reason.
    """
    name = " ".join(name.split())
    secret = f"rb_{_random_text(_KEY_LENGTH)}{_random_text(_RANDOM_LENGTH)}"
    with transaction.atomic():
        # The lock keeps two requests from exceeding MAX_TOKENS together.
        Member.objects.select_for_update().get(pk=member.pk)
        reasons = _problems(member, name, scopes, now, good_for)
        if reasons := [*reasons, *limits.problems()]:
            raise InvalidToken(reasons)
        token = Token.objects.create(
            member=member,
            name=name,
            key=_key_of(secret),
            digest=_digest(secret),
            scopes=[scope.value for scope in Scope if scope in scopes],
            created_at=now,
            expires_at=now + good_for,
            networks=list(limits.networks) or None,
            limits=limits.as_json(),
        )
        mails.queue_mail(member, AccountMailKind.TOKEN_CREATED, now, about=name)
    return token, secret


def sign_in(secret: str, address: str, now: datetime, agent: str = "") -> Token:
    """Return the active token with this secret, with its member.

    A valid token is accepted however many sign-ins have failed: it can't be guessed. A wrong one
    counts as a failed sign-in from this address, but not for the member's login. Otherwise anyone
    who knows the key of a token could lock out the member's scripts.

    Raises:
        TokenRejected: It isn't an active token.
        RateLimited: It isn't one, and too many sign-ins from this address failed.
        TokenElsewhere: It works only from other networks.
        DistrictSuspended: The member's district is suspended.
    """
    token = _find(secret)
    if token is None or not _is_valid(token, secret, now):
        attempt = throttle.begin_attempt(address, now)
        _record_failure(token, address, agent, now)
        attempt.refuse()
        raise TokenRejected
    auth_sign_in.refuse_if_suspended(token.member, address, agent, now)
    if not TokenLimits.of(token).allows_address(address):
        with transaction.atomic():
            auth_sign_in.record_once_a_day(token.member, _ELSEWHERE, address, agent, now)
            notices.notify(Notice.TOKEN_ELSEWHERE, now, token.member, detail=address)
        raise TokenElsewhere(token)
    _record_use(token, now)
    auth_sign_in.record_sign_in(token.member, address, agent, now, f"token {token.key}")
    return token


def is_active(secret: str, now: datetime) -> bool:
    """Return whether this is the secret of an active token."""
    token = _find(secret)
    return token is not None and _is_valid(token, secret, now)


def tokens_of(member: Member) -> QuerySet[Token]:
    """Return all tokens of the member, newest first."""
    return Token.objects.filter(member=member).order_by("-created_at", "-pk")


def active_tokens(member: Member, now: datetime) -> QuerySet[Token]:
    """Return the tokens of the member that are not revoked or expired, newest first."""
    return tokens_of(member).filter(revoked_at=None, expires_at__gt=now)


def revoke(member: Member, key: int, now: datetime) -> Token | None:
    """Revoke the member's token with this primary key; None if it doesn't exist or isn't active."""
    with transaction.atomic():
        revoked = active_tokens(member, now).filter(pk=key).update(revoked_at=now)
    return tokens_of(member).get(pk=key) if revoked else None


def revoke_all(member: Member) -> int:
    """Revoke all tokens of a member, permanently, and return how many were active."""
    now = timezone.now()
    with transaction.atomic():
        return active_tokens(member, now).update(revoked_at=now)


def active_in(district: District, now: datetime) -> QuerySet[Token]:
    """Return the active tokens of all members of a district, newest first."""
    tokens = Token.objects.filter(member__district=district, revoked_at=None, expires_at__gt=now)
    return tokens.select_related("member").order_by("-created_at", "-pk")


def revoke_all_in(district: District, by: Member | None) -> int:
    """Revoke all tokens of a district, permanently, and return how many were active.

    The district managers are notified. ``by`` is who does it; None: the operator.
    """
    now = timezone.now()
    with transaction.atomic():
        revoked = active_in(district, now).order_by().update(revoked_at=now)
        if revoked:
            detail = count_of(revoked, "token")
            notices.notify_managers(Notice.TOKENS_REVOKED, now, district, by=by, detail=detail)
    return revoked


def _find(secret: str) -> Token | None:
    """Return the token with the key of this secret, which may be wrong."""
    tokens = Token.objects.select_related("member__district", "member__role")
    return tokens.filter(key=_key_of(secret)).first()


def _is_valid(token: Token, secret: str, now: datetime) -> bool:
    is_match = hmac.compare_digest(token.digest, _digest(secret))
    is_active = token.revoked_at is None and token.expires_at > now
    return is_match and is_active and token.member.is_active


def _problems(
    member: Member, name: str, scopes: Collection[Scope], now: datetime, good_for: timedelta
) -> list[str]:
    problems = name_problems("name", name, MAX_NAME_LENGTH)
    if not scopes:
        problems.append("choose at least one command that the token may call")
    if not timedelta() < good_for <= MAX_LIFETIME:
        problems.append(f"a token can be valid for at most {MAX_LIFETIME.days} days")
    if active_tokens(member, now).count() >= MAX_TOKENS:
        problems.append(f"you already have {MAX_TOKENS} tokens; revoke one first")
    return problems


def _record_use(token: Token, now: datetime) -> None:
    if token.last_used_at is None or now - token.last_used_at >= LAST_USED_RESOLUTION:
        with transaction.atomic():
            Token.objects.filter(pk=token.pk).update(last_used_at=now)


def _record_failure(token: Token | None, address: str, agent: str, now: datetime) -> None:
    member = token.member if token else None
    detail = f"token {token.key}" if token else "token"
    with transaction.atomic():
        throttle.record_failure("", address, now)
        log.record(
            "sign in",
            "failed",
            member=member,
            address=address,
            agent=agent,
            detail=detail,
            now=now,
        )


def _key_of(secret: str) -> str:
    """Return the key of a token; empty, which no token has, if the text isn't a token."""
    match = _TOKEN.fullmatch(secret)
    return match[1] if match else ""


def _random_text(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
