"""Sign-in with login and password; a failure doesn't reveal which of them was wrong.

For members with two-step verification this is the first step; ``second_factor.py`` has the second.
"""

import threading
import unicodedata
from datetime import datetime

from django.contrib.auth.hashers import check_password, make_password
from django.db import transaction
from django.db.models import TextField

from rollbook.accounts.audit import log
from rollbook.accounts.auth import known_addresses, new_network, throttle
from rollbook.accounts.auth.password_policy import MAX_BYTES, normalize_password
from rollbook.accounts.auth.sign_in_cache import SignInCache
from rollbook.accounts.models import AuditEvent, Member
from rollbook.db.compiled_query import CompiledQuery, Parameter
from rollbook.districts.suspension import DistrictSuspended, require_not_suspended

MAX_LOGIN_LENGTH = 254
MAX_CONCURRENT_HASHES = 4

# A slot covers checking the rate limit, hashing and counting the failure. So concurrent guesses
# exceed a limit by at most MAX_CONCURRENT_HASHES - 1, and hashing needs at most 4 times 19 MiB.
_hashing_slots = threading.BoundedSemaphore(MAX_CONCURRENT_HASHES)

sign_in_cache = SignInCache()

_WITH_LOGIN = CompiledQuery(
    lambda: Member.objects.select_related("district", "role", "second_factor").filter(
        email=Parameter("login", TextField()), holds_login=True
    )
)

_SECOND_STEP_REQUIRED = "two-step verification required"
_SUSPENDED = "district suspended"


class SignInFailed(Exception):
    """The login is unknown, the password is wrong, or the member is inactive.

    Deliberately the same error for all of these.
    """


class SecondFactorRequired(Exception):
    """Login and password are right, but two-step verification is required.

    Attributes:
        is_missing: Whether the member must turn it on first.
    """

    def __init__(self, *, is_missing: bool) -> None:
        super().__init__(is_missing)
        self.is_missing = is_missing


def fold_login(login: str) -> str:
    """Return the login as it is stored and compared; empty if it can't be a login."""
    folded = unicodedata.normalize("NFKC", login.strip()).strip().casefold()
    return folded if folded.isprintable() and len(folded) <= MAX_LOGIN_LENGTH else ""


def sign_in(login: str, password: str, address: str, now: datetime, agent: str = "") -> Member:
    """Return the member with this login and password, if no second step is required.

    Raises:
        SignInFailed: Login or password is wrong, or the member is inactive.
        RateLimited: Too many sign-ins failed.
        SecondFactorRequired: The password alone isn't enough.
        DistrictSuspended: The member's district is suspended.
    """
    member = verify_password(login, password, address, now, agent)
    refuse_if_suspended(member, address, agent, now)
    if member.has_second_factor or member.lacks_second_factor:
        record_once_a_day(member, _SECOND_STEP_REQUIRED, address, agent, now)
        raise SecondFactorRequired(is_missing=member.lacks_second_factor)
    record_sign_in(member, address, agent, now)
    return member


def verify_password(
    login: str, password: str, address: str, now: datetime, agent: str = ""
) -> Member:
    """Return the member with this login and password, who may still need a second step.

    Raises:
        SignInFailed: Login or password is wrong, or the member is inactive.
        RateLimited: Too many sign-ins failed.
    """
    folded = fold_login(login)
    with _hashing_slots:
        attempt = throttle.check_sign_in(folded, address, now)
        member = _WITH_LOGIN.first(login=folded)
        if not _matches(member, password) or member is None or not member.is_active:
            _record_failure(folded, member, address, agent, now)
            attempt.refuse()
            raise SignInFailed
        attempt.accept()
    return member


def refuse_if_suspended(member: Member, address: str, agent: str, now: datetime) -> None:
    """Refuse a member who has proved who they are if the district is suspended, and record it.

    Raises:
        DistrictSuspended: It is.
    """
    try:
        require_not_suspended(member.district)
    except DistrictSuspended:
        record_once_a_day(member, _SUSPENDED, address, agent, now)
        raise


def record_sign_in(
    member: Member, address: str, agent: str, now: datetime, detail: str = ""
) -> None:
    """Record a complete sign-in, once a day for each member and network.

    So a script that polls causes no writes.
    """
    if known_addresses.is_remembered(member, address, now):
        return
    is_new = new_network.is_new(member, address)
    with transaction.atomic():
        known_addresses.remember(member, address, now)
        if is_new:
            new_network.report(member, address, agent, now)
        log.record(
            "sign in", "ok", member=member, address=address, agent=agent, detail=detail, now=now
        )


def _matches(member: Member | None, password: str) -> bool:
    """Return whether this is the member's password.

    Hashes exactly once with the current parameters, also without a member or for a former one, so
    that the time doesn't reveal whether the login exists or used to. Doesn't hash if the sign-in is
    in the cache, which has only those that succeeded.
    """
    normalized = normalize_password(password)
    if len(normalized.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        return False
    if member is None or not member.is_active:
        make_password(normalized)
        return False
    if sign_in_cache.contains(member.pk, member.password, normalized):
        return True
    is_match = check_password(
        normalized, member.password, setter=lambda raw: _upgrade_hash(member, raw)
    )
    if is_match:
        sign_in_cache.add(member.pk, member.password, normalized)
    return is_match


def _upgrade_hash(member: Member, password: str) -> None:
    """Replace a stored hash with weaker parameters, unless the password has been changed."""
    hashed = make_password(password)
    with transaction.atomic():
        upgraded = Member.objects.filter(pk=member.pk, password=member.password).update(
            password=hashed
        )
    if upgraded:
        member.password = hashed  # the new session depends on it


def _record_failure(
    login: str, member: Member | None, address: str, agent: str, now: datetime
) -> None:
    with transaction.atomic():
        throttle.record_failure(login, address, now, of_member=member is not None)
        log.record("sign in", "failed", member=member, address=address, agent=agent, now=now)


def record_once_a_day(member: Member, result: str, address: str, agent: str, now: datetime) -> None:
    """Record a sign-in with the right password that was refused; it isn't a guess.

    It is recorded once a day for each member and address: a script may cause it every night.
    """
    today = AuditEvent.objects.filter(
        district=member.district,
        at__gte=_midnight(now),
        member=member,
        action="sign in",
        result=result,
        address=address,
    )
    if not today.exists():
        log.record("sign in", result, member=member, address=address, agent=agent, now=now)


def _midnight(now: datetime) -> datetime:
    return now.replace(hour=0, minute=0, second=0, microsecond=0)
