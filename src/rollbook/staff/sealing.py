"""The seals of the audit: a keyed digest over some events and the seal before, so that none is changed unnoticed.

A seal is made a moment after its events, by the worker: sealing each as it is written would let all that writes wait
for one another. From then on the database itself refuses to change or remove the event; whoever gets around that
leaves a seal that does not fit, as the key is not in the database.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from django.conf import settings
from django.db import transaction

from rollbook.keys import secret
from rollbook.staff.models import AuditEvent, AuditSeal

AT_ONCE = 1000


@dataclass(frozen=True)
class Broken:
    """Something that is not as it was sealed: the number of the seal, when it was made, and what is wrong."""

    number: int
    at: datetime
    text: str


@dataclass(frozen=True)
class Verified:
    """How many events are sealed, under how many seals, how many wait for one, and what is broken."""

    events: int
    seals: int
    waiting: int
    broken: tuple[Broken, ...]


def seal_some(now: datetime) -> int:
    """Seal the oldest events that are not sealed yet; returns how many. Only one may do so at a time."""
    with transaction.atomic():
        events = list(AuditEvent.objects.filter(seal=None).order_by("pk")[:AT_ONCE])
        if events:
            before = AuditSeal.objects.order_by("-number").first()
            number, digest = (before.number, before.digest) if before else (0, "")
            seal = AuditSeal.objects.create(
                number=number + 1, events=len(events), at=now, digest=_digest(digest, number + 1, events)
            )
            AuditEvent.objects.filter(pk__in=[event.pk for event in events]).update(seal=seal)
    return len(events)


def verify() -> Verified:
    """Look at every seal and every event under it."""
    broken, events, seals = [], 0, 0
    before = ""
    for seal in AuditSeal.objects.order_by("number").iterator():
        found = list(AuditEvent.objects.filter(seal=seal).order_by("pk"))
        broken += [Broken(seal.number, seal.at, text) for text in _faults(seal, seals + 1, before, found)]
        before, events, seals = seal.digest, events + len(found), seal.number
    waiting = AuditEvent.objects.filter(seal=None).count()
    return Verified(events, AuditSeal.objects.count(), waiting, tuple(broken))


def _faults(seal: AuditSeal, expected: int, before: str, events: list[AuditEvent]) -> Iterator[str]:
    if seal.number != expected:
        yield f"the seals before it, from {expected:,} on, are gone"
    elif len(events) != seal.events:
        yield f"of its {seal.events:,} events there are {len(events):,}"
    elif _digest(before, seal.number, events) != seal.digest:
        yield "an event under it, or the seal itself, is not as it was written"


def _digest(before: str, number: int, events: Iterable[AuditEvent]) -> str:
    key = hashlib.blake2b(b"audit seals", key=secret(settings.KEYS, "logins"), digest_size=32).digest()
    digest = hashlib.blake2b(f"{before}\n{number}\n".encode(), key=key, digest_size=32)
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
