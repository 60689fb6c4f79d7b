"""The addresses from which members have signed in within the last 30 days.

An address is stored as the network of ``client_network``, at most once a day for each member.
"""

import threading
import time
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import DateTimeField, Exists, IntegerField, OuterRef, TextField
from django.utils import timezone

from rollbook.accounts.models import KnownAddress, Member
from rollbook.client_network import client_network
from rollbook.db.compiled_query import CompiledQuery, Parameter

LIFETIME = timedelta(days=30)
CACHE_S = 10.0  # for how long the answer of is_known() is reused
MAX_CACHED = 10_000  # networks

_SEEN_SINCE = CompiledQuery(
    lambda: KnownAddress.objects.filter(
        member=Parameter("member", IntegerField()),
        address=Parameter("network", TextField()),
        last_seen_at__gte=Parameter("since", DateTimeField()),
    ).values_list("pk")
)


class _Cache:
    """The latest answers of ``is_known``, in the memory of this process."""

    def __init__(self) -> None:
        self._answers: dict[str, tuple[bool, float]] = {}
        self._lock = threading.Lock()

    def get(self, network: str) -> bool | None:
        """Return the answer; None if there is no recent one."""
        is_known, until = self._answers.get(network, (False, 0.0))
        return is_known if time.monotonic() < until else None

    def put(self, network: str, *, is_known: bool) -> None:
        """Store an answer."""
        with self._lock:
            if len(self._answers) >= MAX_CACHED:
                self._answers.clear()
            self._answers[network] = is_known, time.monotonic() + CACHE_S

    def clear(self) -> None:
        """Forget all answers."""
        with self._lock:
            self._answers.clear()


cache = _Cache()


def is_known(address: str) -> bool:
    """Return whether any active member has signed in from the address within ``LIFETIME``.

    The answer may be ``CACHE_S`` seconds old.
    """
    network = client_network(address)
    answer = cache.get(network)
    if answer is None:
        recent = KnownAddress.objects.filter(
            address=network, last_seen_at__gt=timezone.now() - LIFETIME, member__is_active=True
        )
        answer = recent.exists()
        cache.put(network, is_known=answer)
    return answer


def signed_in_from(member: Member, address: str, now: datetime | None = None) -> bool:
    """Return whether this member has signed in from the address within ``LIFETIME``."""
    since = (now or timezone.now()) - LIFETIME
    return KnownAddress.objects.filter(
        member=member, address=client_network(address), last_seen_at__gt=since
    ).exists()


def is_remembered(member: Member, address: str, now: datetime) -> bool:
    """Return whether a sign-in of the member from the address was remembered on this day.

    Then it isn't written again, so that a script that polls causes no writes.
    """
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    seen = _SEEN_SINCE.rows(member=member.pk, network=client_network(address), since=midnight)
    return any(seen)


def remember(member: Member, address: str, now: datetime | None = None) -> None:
    """Remember that the member has just signed in, completely, from the address."""
    now = now or timezone.now()
    network = client_network(address)
    with transaction.atomic():
        KnownAddress.objects.update_or_create(
            member=member, address=network, defaults={"last_seen_at": now}
        )
    # A transaction around this may still be rolled back; then it is cached for a few seconds.
    cache.put(network, is_known=True)


def remove_expired(now: datetime) -> int:
    """Remove addresses that no longer count, and return how many.

    The last one of each member is kept: it is when the member last signed in.
    """
    later = KnownAddress.objects.filter(
        member=OuterRef("member"), last_seen_at__gt=OuterRef("last_seen_at")
    )
    expired = KnownAddress.objects.filter(Exists(later), last_seen_at__lte=now - LIFETIME)
    with transaction.atomic():
        return expired.delete()[0]
