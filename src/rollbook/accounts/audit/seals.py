"""The seals of the audit log, which reveal changed or removed events.

A seal is a keyed digest of some events and the previous seal. The worker creates it shortly after
its events, because sealing each event when it is written would make all writers wait for each
other. After that, database triggers refuse to change or remove the event. If someone bypasses
them, the seal no longer matches, because its key isn't in the database.

A seal names the version of the key that it was made with, which is kept as long as there is such a
seal. If that version is lost, only the number of its events can be verified.

When retention removes events, or a district is deleted with its events, their seal keeps its
digest, which is part of the next seal. It also stores how many events were removed, and a second
keyed digest of that and the remaining events.

An event whose time is long before the seal that was made before it was recorded is back-dated:
someone who can write to the database has added it later, and the worker has sealed it.
"""

import hashlib
import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from django.db import connection, transaction

from rollbook.accounts import key_ring
from rollbook.accounts.key_ring import KeyRing
from rollbook.accounts.models import AuditEvent, AuditSeal
from rollbook.accounts.retention_guard import MAX_GAP
from rollbook.text import count_of

MAX_EVENTS_PER_SEAL = 1000

_LOCK = 0x5345414C  # the key of an advisory lock on PostgreSQL


@dataclass(frozen=True)
class BrokenSeal:
    """A seal that doesn't match its events, and what is wrong with it."""

    number: int
    sealed_at: datetime
    problem: str


@dataclass(frozen=True)
class Verification:
    """The result of verifying all seals.

    Attributes:
        events: Number of sealed events.
        seals: Number of seals.
        waiting: Number of events that are not sealed yet.
        broken: The seals that don't match.
        removed_events: Number of events that retention, or deleting their district, has removed.
        unverifiable_seals: Number of seals whose key is lost.
    """

    events: int
    seals: int
    unsealed_events: int
    broken: tuple[BrokenSeal, ...]
    removed_events: int = 0
    unverifiable_seals: int = 0


@dataclass(frozen=True)
class SealedEvents:
    """A valid seal, the digest of the previous seal, and its events sorted by primary key."""

    seal: AuditSeal
    previous_digest: str
    events: tuple[AuditEvent, ...]


def lock() -> None:
    """Keep other processes from making and changing seals until the caller's transaction ends.

    On SQLite every transaction that writes does.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])


def seal_pending(now: datetime) -> int:
    """Seal the oldest events that are not sealed yet, and return how many."""
    with transaction.atomic():
        lock()
        events = list(AuditEvent.objects.filter(seal=None).order_by("pk")[:MAX_EVENTS_PER_SEAL])
        if not events:
            return 0
        previous = AuditSeal.objects.order_by("-number").first()
        number, digest = (previous.number, previous.digest) if previous else (0, "")
        ring = key_ring.ring(key_ring.LOGINS)
        seal = AuditSeal(
            number=number + 1,
            events=len(events),
            at=now,
            key_version=ring.current,
            covers_time=True,
        )
        seal.digest = _digest(ring, seal, digest, events)
        seal.save(force_insert=True)
        AuditEvent.objects.filter(pk__in=[event.pk for event in events]).update(seal=seal)
    return len(events)


def verify() -> Verification:
    """Verify every seal and its events."""
    broken: list[BrokenSeal] = []
    event_count = last_number = removed = unverifiable = 0
    lost = key_ring.ring(key_ring.LOGINS).lost
    previous_digest = ""
    complete_at: datetime | None = None
    for seal in AuditSeal.objects.order_by("number").iterator():
        events = _events(seal)
        problems = list(_problems(seal, last_number + 1, previous_digest, events))
        problems += _backdated(events, complete_at)
        broken += [BrokenSeal(seal.number, seal.at, text) for text in problems]
        complete_at = _later(seal, complete_at)
        previous_digest, last_number = seal.digest, seal.number
        event_count += len(events)
        removed += seal.removed_events
        unverifiable += seal.key_version in lost
    waiting = AuditEvent.objects.filter(seal=None).count()
    return Verification(
        event_count, AuditSeal.objects.count(), waiting, tuple(broken), removed, unverifiable
    )


def load_valid_seal(number: int) -> SealedEvents | None:
    """Return the seal with this number and its events; None if it is missing or broken."""
    seals = {
        seal.number: seal for seal in AuditSeal.objects.filter(number__in=[number - 1, number])
    }
    seal, previous = seals.get(number), seals.get(number - 1)
    if seal is None or (previous is None and number > 1):
        return None
    previous_digest = previous.digest if previous else ""
    events = _events(seal)
    if any(_problems(seal, number, previous_digest, events)):
        return None
    return SealedEvents(seal, previous_digest, tuple(events))


def remove_events(sealed: SealedEvents, keys: Collection[int]) -> None:
    """Remove the events with these primary keys from a seal.

    The caller has called ``lock`` in this transaction before it loaded the seal.
    """
    seal = sealed.seal
    remaining = [event for event in sealed.events if event.pk not in keys]
    removed = seal.events - len(remaining)
    digest = _remaining_digest(sealed.previous_digest, seal, removed, remaining)
    # The seal first: the trigger allows as many deletions as the seal says.
    AuditSeal.objects.filter(pk=seal.pk).update(removed_events=removed, remaining_digest=digest)
    AuditEvent.objects.filter(seal=seal, pk__in=list(keys)).delete()


def remove_events_of_broken_seal(number: int, keys: Collection[int]) -> None:
    """Remove events from a seal that doesn't match; it never will match again.

    The caller has called ``lock`` in this transaction.
    """
    seal = AuditSeal.objects.get(pk=number)
    remaining = AuditEvent.objects.filter(seal=seal).exclude(pk__in=list(keys)).count()
    # A digest that no events have: the seal stays broken even if all of them are removed.
    AuditSeal.objects.filter(pk=number).update(
        removed_events=max(1, seal.events - remaining), remaining_digest="broken"
    )
    AuditEvent.objects.filter(seal=seal, pk__in=list(keys)).delete()


def _events(seal: AuditSeal) -> list[AuditEvent]:
    return list(AuditEvent.objects.filter(seal=seal).order_by("pk"))


def _problems(
    seal: AuditSeal, expected_number: int, previous_digest: str, events: list[AuditEvent]
) -> Iterator[str]:
    if seal.number != expected_number:
        yield f"the seals before it are missing, from seal {expected_number:,}"
    elif len(events) != seal.remaining_events:
        yield f"it should have {count_of(seal.remaining_events, 'event')}, but has {len(events):,}"
    elif not _matches(seal, previous_digest, events):
        yield "the seal or one of its events was changed"


def _later(seal: AuditSeal, complete_at: datetime | None) -> datetime | None:
    """Return when all events up to a seal were sealed; a full seal may have left some."""
    if seal.events >= MAX_EVENTS_PER_SEAL:
        return complete_at
    return max(seal.at, complete_at or seal.at)


def _backdated(events: list[AuditEvent], complete_at: datetime | None) -> Iterator[str]:
    """Yield a problem if an event says that it is older than seals before it.

    Differences that clocks may have aren't reported.
    """
    if complete_at is None:
        return
    backdated = [event for event in events if event.at < complete_at - MAX_GAP]
    if backdated:
        yield (
            f"{count_of(len(backdated), 'event')} back-dated: dated {backdated[0].at:%Y-%m-%d}, "
            f"but recorded after {complete_at:%Y-%m-%d}"
        )


def _matches(seal: AuditSeal, previous_digest: str, events: Sequence[AuditEvent]) -> bool:
    ring = key_ring.ring_with(key_ring.LOGINS, seal.key_version)
    if seal.key_version in ring.lost:
        return True  # nothing can be said about it
    if seal.removed_events:
        digest = _remaining_digest(previous_digest, seal, seal.removed_events, events)
        return digest == seal.remaining_digest
    return _digest(ring, seal, previous_digest, events) == seal.digest


def _remaining_digest(
    previous_digest: str, seal: AuditSeal, removed: int, events: Iterable[AuditEvent]
) -> str:
    ring = key_ring.ring(key_ring.LOGINS)
    if seal.key_version in ring.lost:
        return ""
    header = f"{seal.digest}\n{seal.events}\n{removed}\n"
    return _digest(ring, seal, previous_digest, events, header)


def _digest(
    ring: KeyRing,
    seal: AuditSeal,
    previous_digest: str,
    events: Iterable[AuditEvent],
    header: str = "",
) -> str:
    """Return the keyed digest of the events, with the seal's version of the key.

    No event begins like the time or ``header``, so the kinds of digest can't be confused.
    """
    key = ring.derive("audit seals", seal.key_version)
    time = f"at {seal.at.astimezone(UTC).isoformat()}\n" if seal.covers_time else ""
    prefix = f"{previous_digest}\n{seal.number}\n{time}{header}".encode()
    digest = hashlib.blake2b(prefix, key=key, digest_size=32)
    for event in events:
        digest.update(_serialized(event))
    return digest.hexdigest()


def _serialized(event: AuditEvent) -> bytes:
    values = (
        event.pk,
        event.at.astimezone(UTC).isoformat(),
        event.district_id,
        event.member_id,
        event.action,
        event.result,
        event.address,
        event.agent,
        event.detail,
        *([event.students] if event.students else ()),  # events of 0.2 had none
    )
    return json.dumps(values).encode() + b"\n"
