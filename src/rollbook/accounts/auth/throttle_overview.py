"""What the operator sees of rate limits: the failures that count, and the limits reached now."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from django.db.models import Count, Max

from rollbook.accounts import key_ring
from rollbook.accounts.auth import throttle
from rollbook.accounts.models import Member, PasswordRequest, SignInFailure


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
    recent = SignInFailure.objects.filter(failed_at__gt=now - throttle.WINDOW)
    counts = recent.values_list("login_digest", "address").annotate(
        failures=Count("pk"), latest=Max("failed_at")
    )
    rows = list(counts.order_by("-failures", "address", "login_digest"))
    logins: dict[str, _Counter] = {}
    if rows:
        logins = _logins_by_digest()
    return [
        FailureCount(*logins.get(digest, ("", throttle.PASSWORD)), address, failures, latest)
        for digest, address, failures, latest in rows
    ]


@dataclass(frozen=True)
class Block:
    """A limit that is reached now.

    Attributes:
        limit: What it applies to: one of the sentences of ``LIMITS``.
        login: The email of the member; empty if it applies to all, or no member has the login.
        address: The network; empty if it applies to all.
        failures: How many events count.
        until: When the next attempt is allowed.
    """

    limit: str
    login: str
    address: str
    failures: int
    until: datetime


@dataclass(frozen=True)
class Limit:
    """A limit, as listed for the operator.

    Attributes:
        what: What it applies to.
        maximum: The number of events that reach it.
        per: What is counted on its own: each login, each network, or each pair of them.
    """

    what: str
    maximum: int
    per: frozenset[str]


_LOGIN, _NETWORK = frozenset({"login"}), frozenset({"network"})
_PAIRS = Limit(
    "a login from a network", throttle.MAX_FAILURES_PER_LOGIN_AND_ADDRESS, _LOGIN | _NETWORK
)
_LOGINS = Limit("a login from unknown networks", throttle.MAX_FAILURES_PER_LOGIN, _LOGIN)
_CODES = Limit("codes of a login", throttle.MAX_CODE_FAILURES_PER_LOGIN, _LOGIN)
_WRONG = Limit("wrong passwords from a network", throttle.MAX_FAILURES_PER_ADDRESS, _NETWORK)
_MEMBERS = Limit("logins new to a network", throttle.MAX_FAILURES_PER_ADDRESS, _NETWORK)
_ALL = Limit("all passwords from a network", throttle.MAX_CHECKED_PER_ADDRESS, _NETWORK)
_RESETS = Limit("password resets from a network", throttle.MAX_REQUESTS_PER_ADDRESS, _NETWORK)


def list_blocks(now: datetime) -> list[Block]:
    """Return the limits that are reached now, those that end last first.

    Those of networks don't apply to logins that have signed in from there in the last 30 days.
    """
    logins = _logins_by_digest()
    counted: dict[tuple[Limit, str, str], list[datetime]] = {}
    for limit, login, address, at in _events(logins, now):
        key = (
            limit,
            login if "login" in limit.per else "",
            address if "network" in limit.per else "",
        )
        counted.setdefault(key, []).append(at)
    blocks = []
    for (limit, login, address), times in counted.items():
        if len(times) >= limit.maximum:
            until = sorted(times)[-limit.maximum] + throttle.WINDOW
            email = logins[login].email if login in logins else ""
            blocks.append(Block(limit.what, email, address, len(times), until))
    return sorted(blocks, key=lambda block: (block.until, block.limit), reverse=True)


def _events(
    logins: Mapping[str, "_Counter"], now: datetime
) -> Iterator[tuple[Limit, str, str, datetime]]:
    """Yield each event of the window once for each limit toward which it counts.

    Yields:
        The limit, the digest of the login, the network, and when it was.
    """
    failures = SignInFailure.objects.filter(failed_at__gt=now - throttle.WINDOW)
    for failure in failures.iterator():
        counter = logins.get(failure.login_digest)
        is_code = counter is not None and counter.what == throttle.CODE
        limits = [_CODES] if is_code else [_PAIRS, _LOGINS]
        limits += [_WRONG, _ALL]
        if failure.of_member:
            limits.append(_MEMBERS)
        for limit in limits:
            yield limit, failure.login_digest, failure.address, failure.failed_at
    requests = PasswordRequest.objects.filter(requested_at__gt=now - throttle.WINDOW)
    for request in requests.iterator():
        yield _RESETS, "", request.address, request.requested_at


class _Counter(NamedTuple):
    """What a digest counts.

    Attributes:
        email: The login of a member.
        what: ``password`` or ``code``.
    """

    email: str
    what: str


def _logins_by_digest() -> dict[str, _Counter]:
    """Return what each digest of a member's login counts."""
    counters: dict[str, _Counter] = {}
    for key in key_ring.ring(key_ring.LOGINS).newest_first():
        for email in Member.objects.values_list("email", flat=True).iterator():
            password = throttle.digest_with(email, key)
            code = throttle.digest_with(throttle.code_counter_key(email), key)
            counters[password] = _Counter(email, throttle.PASSWORD)
            counters[code] = _Counter(email, throttle.CODE)
    return counters
