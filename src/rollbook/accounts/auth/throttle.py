"""Rate limits for failed sign-ins and password resets, checked before anything expensive."""

import hashlib
import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from django.db import transaction
from django.db.models import DateTimeField, Q, QuerySet, TextField

from rollbook.accounts import key_ring
from rollbook.accounts.auth import known_addresses
from rollbook.accounts.models import Member, PasswordRequest, SignInFailure
from rollbook.client_network import client_network
from rollbook.db.compiled_query import CompiledQuery, Parameter

WINDOW = timedelta(hours=1)
MAX_FAILURES_PER_LOGIN_AND_ADDRESS = 10
MAX_FAILURES_PER_ADDRESS = 20
MAX_CHECKED_PER_ADDRESS = 100
"""Failures from an address after which no more passwords from there are hashed."""

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


@dataclass(frozen=True)
class Attempt:
    """A sign-in that may be tried, and how it is answered.

    What an unknown client sees must not depend on whether a login exists. So the limit of an
    address counts all failures, but only decides about wrong credentials; the right ones are
    refused only after as many failures of logins that exist.

    Attributes:
        wrong_wait: Seconds to wait if the credentials are wrong; 0: they are answered as wrong.
        right_wait: Seconds to wait although the credentials are right; 0: they are accepted.
    """

    wrong_wait: int = 0
    right_wait: int = 0

    def accept(self) -> None:
        """Let right credentials in.

        Raises:
            RateLimited: Too many sign-ins with logins that exist failed from this address.
        """
        if self.right_wait:
            raise RateLimited(self.right_wait)

    def refuse(self) -> None:
        """Answer wrong credentials, which have been counted.

        Raises:
            RateLimited: Too many sign-ins from this address failed.
        """
        if self.wrong_wait:
            raise RateLimited(self.wrong_wait)


def check_address(address: str, now: datetime) -> None:
    """Check the limit of an address that has sent far too many wrong credentials.

    It is checked before anything else about a request is known, and doesn't apply to an address
    from which somebody has recently signed in.

    Raises:
        RateLimited: Too many sign-ins from this address failed.
    """
    failures = _DECISIVE_FAILURE.rows(address=client_network(address), since=now - WINDOW)
    for [failed_at] in failures:
        if not known_addresses.is_known(address):
            raise RateLimited(_seconds_left(failed_at, now))


def check_sign_in(login: str, address: str, now: datetime) -> Attempt:
    """Check the limits of failed sign-ins with this login from this address.

    An address that has recently signed in with this login is only limited by what failed with
    both. The answer doesn't depend on whether the login exists.

    Raises:
        RateLimited: Too many sign-ins failed; the password isn't checked.
    """
    # One query instead of five in the usual case: there are no failures.
    if not _has_failures(address, _digests(login), now):
        return Attempt()
    of_login = failures_of(login)
    of_both = of_login.filter(address=client_network(address))
    _check(of_both, "failed_at", MAX_FAILURES_PER_LOGIN_AND_ADDRESS, now)
    if _is_known(login, address, now):
        return Attempt()
    _check(of_login, "failed_at", MAX_FAILURES_PER_LOGIN, now)
    return begin_attempt(address, now)


def begin_attempt(address: str, now: datetime) -> Attempt:
    """Return how credentials from an address are answered that isn't known for their login.

    Raises:
        RateLimited: Far too many sign-ins from this address failed; nothing more is checked.
    """
    failures = _failures_from(address)
    _check(failures, "failed_at", MAX_CHECKED_PER_ADDRESS, now)
    return Attempt(
        wrong_wait=_wait(failures, "failed_at", MAX_FAILURES_PER_ADDRESS, now),
        right_wait=_wait(
            failures.filter(of_member=True), "failed_at", MAX_FAILURES_PER_ADDRESS, now
        ),
    )


def record_failure(login: str, address: str, now: datetime, *, of_member: bool = False) -> None:
    """Count a failed sign-in, and remove those that no longer count.

    Args:
        login: The login, in the form in which it is stored.
        address: The client's address.
        now: The current time.
        of_member: Whether the login exists.
    """
    with transaction.atomic():
        SignInFailure.objects.filter(failed_at__lt=now - WINDOW).delete()
        SignInFailure.objects.create(
            login_digest=digest(login),
            address=client_network(address),
            failed_at=now,
            of_member=of_member,
        )


def check_code(login: str, now: datetime) -> None:
    """Check the limit of wrong codes of a member, from all addresses.

    A code is only requested after the right password. So strangers can't block the member, and
    there is no exception for known addresses.

    Raises:
        RateLimited: Too many codes were wrong.
    """
    _check(failures_of(code_counter_key(login)), "failed_at", MAX_CODE_FAILURES_PER_LOGIN, now)


def record_code_failure(login: str, address: str, now: datetime) -> None:
    """Count a wrong code."""
    record_failure(code_counter_key(login), address, now, of_member=True)


def recent_code_failures(login: str, now: datetime) -> int:
    """Return how many wrong codes of a member count."""
    return failures_of(code_counter_key(login)).filter(failed_at__gt=now - WINDOW).count()


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


def clear(login: str = "", address: str = "") -> int:
    """Forget failed sign-ins with a login or from an address; without both, all of them.

    Password resets that were requested from the address are forgotten too.

    Returns:
        The number of events that no longer count.
    """
    failures, requests = SignInFailure.objects.all(), PasswordRequest.objects.all()
    if login:
        failures = failures_of(login) | failures_of(code_counter_key(login))
        requests = PasswordRequest.objects.none()
    if address:
        network = client_network(address)
        failures, requests = failures.filter(address=network), requests.filter(address=network)
    with transaction.atomic():
        return failures.delete()[0] + requests.delete()[0]


def failures_of(login: str) -> QuerySet[SignInFailure]:
    """Return the failed sign-ins with this login, whichever key they were digested with."""
    return SignInFailure.objects.filter(login_digest__in=_digests(login))


def _digests(login: str) -> list[str]:
    keys = key_ring.ring(key_ring.LOGINS).newest_first()
    return [digest_with(login, key) for key in keys]


def digest(login: str) -> str:
    """Return a keyed digest of a submitted login, which can be a password or a student's row."""
    return digest_with(login, key_ring.ring(key_ring.LOGINS).key)


def digest_with(login: str, key: bytes) -> str:
    """Return the digest of a submitted login with this version of the key."""
    return hashlib.blake2b(
        login.encode("utf-8", "surrogatepass"), key=key, digest_size=32
    ).hexdigest()


def code_counter_key(login: str) -> str:
    """Return a text that can't be a login, because it isn't printable."""
    return f"\0codes of {login}"


def _has_failures(address: str, digests: list[str], now: datetime) -> bool:
    """Return whether a recent sign-in from the address, or with one of the digests, failed."""
    by_place = {f"digest_{place}": digest for place, digest in enumerate(digests)}
    query = _recent_failures(len(digests))
    return any(query.rows(address=client_network(address), since=now - WINDOW, **by_place))


@cache
def _recent_failures(count: int) -> CompiledQuery[SignInFailure]:
    digests = [Parameter(f"digest_{place}", TextField()) for place in range(count)]
    either = Q(login_digest__in=digests) | Q(address=Parameter("address", TextField()))
    recent = Q(failed_at__gt=Parameter("since", DateTimeField()))
    return CompiledQuery(lambda: SignInFailure.objects.filter(either, recent).values_list("pk")[:1])


def _failures_that_decide() -> QuerySet[SignInFailure, Any]:
    """Return the time of the failure that makes an address wait, if there are enough of them."""
    limit = MAX_CHECKED_PER_ADDRESS
    recent = SignInFailure.objects.filter(
        address=Parameter("address", TextField()),
        failed_at__gt=Parameter("since", DateTimeField()),
    )
    return recent.order_by("-failed_at").values_list("failed_at")[limit - 1 : limit]


_DECISIVE_FAILURE = CompiledQuery(_failures_that_decide)


def _failures_from(address: str) -> QuerySet[SignInFailure]:
    return SignInFailure.objects.filter(address=client_network(address))


def _check(
    events: QuerySet[SignInFailure] | QuerySet[PasswordRequest],
    time_column: str,
    limit: int,
    now: datetime,
) -> None:
    """Raise if there are ``limit`` or more events in the window."""
    if wait := _wait(events, time_column, limit, now):
        raise RateLimited(wait)


def _wait(
    events: QuerySet[SignInFailure] | QuerySet[PasswordRequest],
    time_column: str,
    limit: int,
    now: datetime,
) -> int:
    """Return the seconds until there are fewer than ``limit`` events in the window; 0: now.

    The next attempt is allowed when the ``limit``-th latest event leaves the window.
    """
    recent = events.filter(**{f"{time_column}__gt": now - WINDOW}).order_by(f"-{time_column}")
    times: QuerySet[Any, datetime] = recent.values_list(time_column, flat=True)
    decisive = times[limit - 1 : limit].first()
    return _seconds_left(decisive, now) if decisive else 0


def _seconds_left(event: datetime, now: datetime) -> int:
    """Return the seconds until a recent event leaves the window, at least 1."""
    return max(1, math.ceil((event + WINDOW - now).total_seconds()))


def _is_known(login: str, address: str, now: datetime) -> bool:
    """Return whether the member with this login has recently signed in from the address."""
    member = Member.objects.filter(email=login, holds_login=True).first()
    return member is not None and known_addresses.signed_in_from(member, address, now)
