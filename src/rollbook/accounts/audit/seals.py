"""The seals of the audit: a keyed digest over some events and the seal before, so that none is changed unnoticed.

A seal is made a moment after its events, by the worker: sealing each as it is written would let all that writes wait
for one another. From then on the database itself refuses to change or remove the event; whoever gets around that
leaves a seal that does not fit, as the key is not in the database.

Retention takes events out again (see forgetting.py). Their seal keeps its digest, over which the next one is made, says
how many are gone, and has a second keyed digest over all that and the events that are left.
"""

import hashlib
import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from django.conf import settings
from django.db import transaction

from rollbook.accounts.models import AuditEvent, AuditSeal
from rollbook.secret_keys import derived

AT_ONCE = 1000


@dataclass(frozen=True)
class BrokenSeal:
    """Something that is not as it was sealed: the number of the seal, when it was made, and what is wrong."""

    number: int
    at: datetime
    text: str


@dataclass(frozen=True)
class Verification:
    """How many events are sealed, under how many seals, how many wait for one, what is broken, and how many events
    retention has removed.
    """

    events: int
    seals: int
    waiting: int
    broken: tuple[BrokenSeal, ...]
    forgotten: int = 0


@dataclass(frozen=True)
class SealedEvents:
    """A seal that fits, the digest of the one before, and the events under it in the order of their keys."""

    seal: AuditSeal
    before: str
    events: tuple[AuditEvent, ...]


def seal_pending(now: datetime) -> int:
    """Seal the oldest events that are not sealed yet; returns how many. Only one may do so at a time."""
    with transaction.atomic():
        events = list(AuditEvent.objects.filter(seal=None).order_by("pk")[:AT_ONCE])
        if events:
            before = AuditSeal.objects.order_by("-number").first()
            number, digest = (before.number, before.digest) if before else (0, "")
            seal = AuditSeal.objects.create(
                number=number + 1,
                events=len(events),
                at=now,
                digest=_digest(digest, number + 1, events),
            )
            AuditEvent.objects.filter(pk__in=[event.pk for event in events]).update(seal=seal)
    return len(events)


def verify() -> Verification:
    """Look at every seal and every event under it."""
    broken, events, seals, forgotten = [], 0, 0, 0
    before = ""
    for seal in AuditSeal.objects.order_by("number").iterator():
        found = _events(seal)
        broken += [
            BrokenSeal(seal.number, seal.at, text)
            for text in _faults(seal, seals + 1, before, found)
        ]
        before, events, seals = seal.digest, events + len(found), seal.number
        forgotten += seal.removed_events
    waiting = AuditEvent.objects.filter(seal=None).count()
    return Verification(events, AuditSeal.objects.count(), waiting, tuple(broken), forgotten)


def load_valid_seal(number: int) -> SealedEvents | None:
    """The seal with this number and what is under it; None if it does not fit."""
    seals = {
        seal.number: seal for seal in AuditSeal.objects.filter(number__in=[number - 1, number])
    }
    seal, one_before = seals.get(number), seals.get(number - 1)
    if seal is None or (one_before is None and number > 1):
        return None
    before, events = one_before.digest if one_before else "", _events(seal)
    return (
        None
        if any(_faults(seal, number, before, events))
        else SealedEvents(seal, before, tuple(events))
    )


def remove_events(sealed: SealedEvents, going: Collection[int]) -> None:
    """Remove the events with these keys from under the seal, in the transaction of the caller."""
    seal, staying = sealed.seal, [event for event in sealed.events if event.pk not in going]
    forgotten = seal.events - len(staying)
    rest = _rest_digest(sealed.before, seal, forgotten, staying)
    # The seal first: the database lets go of as many events as that one says.
    AuditSeal.objects.filter(pk=seal.pk).update(removed_events=forgotten, remaining_digest=rest)
    AuditEvent.objects.filter(seal=seal, pk__in=list(going)).delete()


def _events(seal: AuditSeal) -> list[AuditEvent]:
    return list(AuditEvent.objects.filter(seal=seal).order_by("pk"))


def _faults(seal: AuditSeal, expected: int, before: str, events: list[AuditEvent]) -> Iterator[str]:
    if seal.number != expected:
        yield f"the seals before it, from {expected:,} on, are gone"
    elif len(events) != seal.left:
        yield f"of its {seal.left:,} events there are {len(events):,}"
    elif not _fits(seal, before, events):
        yield "an event under it, or the seal itself, is not as it was written"


def _fits(seal: AuditSeal, before: str, events: Sequence[AuditEvent]) -> bool:
    if seal.removed_events:
        return _rest_digest(before, seal, seal.removed_events, events) == seal.remaining_digest
    return _digest(before, seal.number, events) == seal.digest


def _rest_digest(before: str, seal: AuditSeal, forgotten: int, events: Iterable[AuditEvent]) -> str:
    return _digest(before, seal.number, events, f"{seal.digest}\n{seal.events}\n{forgotten}\n")


def _digest(before: str, number: int, events: Iterable[AuditEvent], more: str = "") -> str:
    """``more`` begins like no event, so neither kind of digest is ever taken for the other."""
    key = derived(settings.KEYS, "logins", "audit seals")
    digest = hashlib.blake2b(f"{before}\n{number}\n{more}".encode(), key=key, digest_size=32)
    for event in events:
        digest.update(_written(event))
    return digest.hexdigest()


def _written(event: AuditEvent) -> bytes:
    facts = (
        event.pk,
        event.at.astimezone(UTC).isoformat(),
        event.district_id,
        event.member_id,
        event.action,
        event.result,
        event.address,
        event.agent,
        event.detail,
    )
    return json.dumps(facts).encode() + b"\n"
