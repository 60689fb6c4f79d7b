"""How many sign-ins may fail, and mails be asked for, before the next one has to wait; asked before anything costly."""

import hashlib
import math
from collections.abc import Callable
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from rollbook.accounts.models import KnownAddress, PasswordRequest, SignInFailure
from rollbook.client_network import client_network
from rollbook.secret_keys import secret

WINDOW = timedelta(hours=1)
PER_LOGIN_AND_ADDRESS = 10
PER_ADDRESS = 20
PER_LOGIN = 100
PER_LOGIN_OF_CODES = 20
REQUESTS_PER_ADDRESS = 20
KNOWN_FOR = timedelta(days=30)


class RateLimited(Exception):
    """Too many sign-ins failed, or mails were asked for; the next one is looked at in ``retry_after`` seconds."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(retry_after)
        self.retry_after = retry_after


def check_address(address: str, now: datetime) -> None:
    """Raise Throttled if too many sign-ins failed from this address."""
    _require(_from(address), "failed_at", PER_ADDRESS, now)


def check_sign_in(login: str, address: str, now: datetime) -> None:
    """Raise Throttled if this login may not be tried again from this address for now.

    An address that signed in as this login lately is never stopped by what strangers do elsewhere.
    """
    of_login = SignInFailure.objects.filter(login_digest=digest(login))
    if (
        not (of_login | _from(address)).filter(failed_at__gt=now - WINDOW).exists()
    ):  # as nearly always: one question for three
        return
    check_address(address, now)
    _require(
        of_login.filter(address=client_network(address)), "failed_at", PER_LOGIN_AND_ADDRESS, now
    )
    _require(of_login, "failed_at", PER_LOGIN, now, unless=lambda: _is_known(login, address, now))


def record_failure(login: str, address: str, now: datetime) -> None:
    """Count a sign-in that failed; those that count no longer are removed."""
    with transaction.atomic():
        SignInFailure.objects.filter(failed_at__lt=now - WINDOW).delete()
        SignInFailure.objects.create(
            login_digest=digest(login), address=client_network(address), failed_at=now
        )


def check_code(login: str, address: str, now: datetime) -> None:
    """Raise Throttled if too many codes of this member, or sign-ins from this address, were wrong.

    Nobody is asked for a code who has not given the password: no stranger can stop the member by this, and an address
    that is known is no excuse.
    """
    check_address(address, now)
    _require(
        SignInFailure.objects.filter(login_digest=digest(_code_counter_key(login))),
        "failed_at",
        PER_LOGIN_OF_CODES,
        now,
    )


def record_code_failure(login: str, address: str, now: datetime) -> None:
    """Count a code that was wrong."""
    record_failure(_code_counter_key(login), address, now)


def check_request(address: str, now: datetime) -> None:
    """Raise Throttled if too many passwords were said to be forgotten from this address, of whatever logins."""
    _require(
        PasswordRequest.objects.filter(address=client_network(address)),
        "requested_at",
        REQUESTS_PER_ADDRESS,
        now,
    )


def record_request(address: str, now: datetime) -> None:
    """Count one; those that count no longer are removed."""
    with transaction.atomic():
        PasswordRequest.objects.filter(requested_at__lt=now - WINDOW).delete()
        PasswordRequest.objects.create(address=client_network(address), requested_at=now)


def digest(login: str) -> str:
    """A keyed digest: what was sent as a login may have been a password, or a student's row."""
    key = secret(settings.KEYS, "logins")
    return hashlib.blake2b(
        login.encode("utf-8", "surrogatepass"), key=key, digest_size=32
    ).hexdigest()


def _code_counter_key(login: str) -> str:
    """No login is called so: they are all printable."""
    return f"\0codes of {login}"


def _from(address: str) -> QuerySet[SignInFailure]:
    return SignInFailure.objects.filter(address=client_network(address))


def _require(
    counted: QuerySet[SignInFailure] | QuerySet[PasswordRequest],
    column: str,
    most: int,
    now: datetime,
    unless: Callable[[], bool] = lambda: False,
) -> None:
    """Raise if ``most`` or more lie within the window; there is room again when the ``most``-th grows old."""
    recent = counted.filter(**{f"{column}__gt": now - WINDOW}).order_by(f"-{column}")
    decisive = recent.values_list(column, flat=True)[most - 1 : most].first()
    if decisive and not unless():
        raise RateLimited(max(1, math.ceil((decisive + WINDOW - now).total_seconds())))


def _is_known(login: str, address: str, now: datetime) -> bool:
    return KnownAddress.objects.filter(
        member__email=login, address=client_network(address), last_seen_at__gt=now - KNOWN_FOR
    ).exists()
