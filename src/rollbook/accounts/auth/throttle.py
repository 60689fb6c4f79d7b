"""Rate limits for failed sign-ins and password resets, checked before anything expensive."""

import hashlib
import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Count, Max, QuerySet

from rollbook.accounts import key_ring
from rollbook.accounts.auth import known_addresses
from rollbook.accounts.models import Member, PasswordRequest, SignInFailure
from rollbook.client_network import client_network

WINDOW = timedelta(hours=1)
MAX_FAILURES_PER_LOGIN_AND_ADDRESS = 10
MAX_FAILURES_PER_ADDRESS = 20
MAX_FAILURES_PER_LOGIN = 100
MAX_CODE_FAILURES_PER_LOGIN = 20
MAX_REQUESTS_PER_ADDRESS = 20
PASSWORD, CODE = "password", "code"
"""What a failed sign-in lacked."""


class RateLimited(Exception):
    """Too many sign-ins failed, or password resets were requested.

    Attributes:
        retry_after: Seconds until the next attempt is allowed.
    """

    def __init__(self, retry_after: int) -> None:
        super().__init__(retry_after)
        self.retry_after = retry_after


def check_address(address: str, now: datetime) -> None:
    """Check the limit of failed sign-ins from an address.

    Raises:
        RateLimited: Too many sign-ins from this address failed.
    """
    _check(_failures_from(address), "failed_at", MAX_FAILURES_PER_ADDRESS, now)


def check_sign_in(login: str, address: str, now: datetime) -> None:
    """Check all limits of failed sign-ins with this login from this address.

    Failures elsewhere never block an address that has recently signed in with this login.

    Raises:
        RateLimited: Too many sign-ins failed.
    """
    of_login = failures_of(login)
    # One query instead of three in the usual case: there are no failures.
    either = of_login | _failures_from(address)
    if not either.filter(failed_at__gt=now - WINDOW).exists():
        return
    check_address(address, now)
    of_both = of_login.filter(address=client_network(address))
    _check(of_both, "failed_at", MAX_FAILURES_PER_LOGIN_AND_ADDRESS, now)
    _check(
        of_login,
        "failed_at",
        MAX_FAILURES_PER_LOGIN,
        now,
        unless=lambda: _is_known(login, address, now),
    )


def record_failure(login: str, address: str, now: datetime) -> None:
    """Count a failed sign-in, and remove those that no longer count."""
    with transaction.atomic():
        SignInFailure.objects.filter(failed_at__lt=now - WINDOW).delete()
        SignInFailure.objects.create(
            login_digest=digest(login), address=client_network(address), failed_at=now
        )


def check_code(login: str, address: str, now: datetime) -> None:
    """Check the limit of wrong codes of a member, and of failed sign-ins from an address.

    A code is only requested after the right password. So strangers can't block the member, and
    there is no exception for known addresses.

    Raises:
        RateLimited: Too many codes were wrong, or too many sign-ins failed.
    """
    check_address(address, now)
    failures = failures_of(_code_counter_key(login))
    _check(failures, "failed_at", MAX_CODE_FAILURES_PER_LOGIN, now)


def record_code_failure(login: str, address: str, now: datetime) -> None:
    """Count a wrong code."""
    record_failure(_code_counter_key(login), address, now)


def check_request(address: str, now: datetime) -> None:
    """Check the limit of password resets from an address, for any logins.

    Raises:
        RateLimited: Too many resets were requested.
    """
    requests = PasswordRequest.objects.filter(address=client_network(address))
    _check(requests, "requested_at", MAX_REQUESTS_PER_ADDRESS, now)


def record_request(address: str, now: datetime) -> None:
    """Count a password reset, and remove those that no longer count."""
    with transaction.atomic():
        PasswordRequest.objects.filter(requested_at__lt=now - WINDOW).delete()
        PasswordRequest.objects.create(address=client_network(address), requested_at=now)


@dataclass(frozen=True)
class FailureCount:
    """Failed sign-ins that still count, with one login from one network.

    Attributes:
        login: The email of the member; empty if no member has the login.
        what: What was wrong: ``password`` or ``code``.
        address: The network.
        failures: How many.
        latest: When the latest was.
    """

    login: str
    what: str
    address: str
    failures: int
    latest: datetime


def list_failures(now: datetime) -> list[FailureCount]:
    """Return the failed sign-ins that still count, the most frequent first."""
    recent = SignInFailure.objects.filter(failed_at__gt=now - WINDOW)
    counts = recent.values_list("login_digest", "address").annotate(
        failures=Count("pk"), latest=Max("failed_at")
    )
    rows = list(counts.order_by("-failures", "address", "login_digest"))
    logins: dict[str, tuple[str, str]] = {}
    if rows:
        logins = _logins_by_digest()
    return [
        FailureCount(*logins.get(digest, ("", PASSWORD)), address, failures, latest)
        for digest, address, failures, latest in rows
    ]


def clear(login: str = "", address: str = "") -> int:
    """Forget failed sign-ins with a login or from an address; without both, all of them.

    Password resets that were requested from the address are forgotten too.

    Returns:
        The number of events that no longer count.
    """
    failures, requests = SignInFailure.objects.all(), PasswordRequest.objects.all()
    if login:
        failures = failures_of(login) | failures_of(_code_counter_key(login))
        requests = PasswordRequest.objects.none()
    if address:
        network = client_network(address)
        failures, requests = failures.filter(address=network), requests.filter(address=network)
    with transaction.atomic():
        return failures.delete()[0] + requests.delete()[0]


def _logins_by_digest() -> dict[str, tuple[str, str]]:
    """Return the email of each member, and what failed, by the digests of both counters."""
    logins: dict[str, tuple[str, str]] = {}
    for key in key_ring.ring(key_ring.LOGINS).newest_first():
        for email in Member.objects.values_list("email", flat=True).iterator():
            logins[_digest(email, key)] = email, PASSWORD
            logins[_digest(_code_counter_key(email), key)] = email, CODE
    return logins


def failures_of(login: str) -> QuerySet[SignInFailure]:
    """Return the failed sign-ins with this login, whichever key they were digested with."""
    keys = key_ring.ring(key_ring.LOGINS).newest_first()
    return SignInFailure.objects.filter(login_digest__in=[_digest(login, key) for key in keys])


def digest(login: str) -> str:
    """Return a keyed digest of a submitted login, which can be a password or a student's row."""
    return _digest(login, key_ring.ring(key_ring.LOGINS).key)


def _digest(login: str, key: bytes) -> str:
    return hashlib.blake2b(
        login.encode("utf-8", "surrogatepass"), key=key, digest_size=32
    ).hexdigest()


def _code_counter_key(login: str) -> str:
    """Return a text that can't be a login, because it isn't printable."""
    return f"\0codes of {login}"


def _failures_from(address: str) -> QuerySet[SignInFailure]:
    return SignInFailure.objects.filter(address=client_network(address))


def _check(
    events: QuerySet[SignInFailure] | QuerySet[PasswordRequest],
    time_column: str,
    limit: int,
    now: datetime,
    unless: Callable[[], bool] = lambda: False,
) -> None:
    """Raise if there are ``limit`` or more events in the window, except if ``unless`` is true.

    The next attempt is allowed when the ``limit``-th latest event leaves the window.
    """
    recent = events.filter(**{f"{time_column}__gt": now - WINDOW}).order_by(f"-{time_column}")
    decisive = recent.values_list(time_column, flat=True)[limit - 1 : limit].first()
    if decisive and not unless():
        raise RateLimited(max(1, math.ceil((decisive + WINDOW - now).total_seconds())))


def _is_known(login: str, address: str, now: datetime) -> bool:
    member = Member.objects.filter(email=login, holds_login=True).first()
    return member is not None and known_addresses.signed_in_from(member, address, now)
