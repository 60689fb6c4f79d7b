"""Removal of audit events after the time that their district has set.

Seals are never removed; each stores how many of its events are gone. If a seal is broken, neither
it nor its events are touched, so that tampering can be investigated. Events without a district,
such as sign-ins with an unknown login, are kept for the maximum time.
"""

import logging
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta

from django.db import transaction
from django.db.models import QuerySet

from rollbook.accounts.audit import log as audit_log
from rollbook.accounts.audit import seals
from rollbook.accounts.audit.seals import SealedEvents
from rollbook.accounts.models import AuditEvent
from rollbook.accounts.retention_guard import Due
from rollbook.districts.models import AUDIT_KEPT_YEARS, District

ACTION, AGENT = "retention", "Rollbook server"
"""The action and agent of the audit events that record a removal."""

MAX_EVENTS_PER_TRANSACTION = 2000
"""Once a transaction removes this many events, it processes no further seal."""

YEAR = timedelta(days=366)  # so that nothing is removed a day too early

log = logging.getLogger(__name__)


def remove_expired(now: datetime) -> int:
    """Remove some of the expired events of each district, and record how many.

    Returns:
        The number of removed events; 0 if there are none left to remove.
    """
    districts: list[District | None] = [*District.objects.order_by("pk"), None]
    return sum(_remove_expired(district, now) for district in districts)


def count_due(now: datetime) -> Due:
    """Count the events that have expired."""
    districts: list[District | None] = [*District.objects.order_by("pk"), None]
    events = AuditEvent.objects.filter(seal__isnull=False)
    due = sum(
        events.filter(district=district, at__lt=_expiry_limit(district, now)).count()
        for district in districts
    )
    return Due(due, events.count())


def _remove_expired(district: District | None, now: datetime) -> int:
    """Remove a district's expired events and record that in the same transaction."""
    limit = _expiry_limit(district, now)
    if not _sealed_before(district, limit).exists():
        return 0
    with transaction.atomic():
        seals.lock()
        expired = list(_expired_events(district, limit))
        removed = sum(len(keys) for _, keys in expired)
        if not removed:
            return 0
        noun = "event" if removed == 1 else "events"
        for sealed, keys in expired:
            seals.remove_events(sealed, keys)
        audit_log.record(
            ACTION,
            "audit removed",
            district=district,
            agent=AGENT,
            detail=f"{removed:,} {noun} before {limit:%Y-%m-%d}",
            now=now,
        )
    return removed


def _expiry_limit(district: District | None, now: datetime) -> datetime:
    """Return the time before which events have expired.

    It is a midnight, so that there is at most one record of a removal each day.
    """
    years = district.audit_kept_years if district else AUDIT_KEPT_YEARS[1]
    return datetime.combine((now - years * YEAR).astimezone(UTC).date(), time(), UTC)


def _expired_events(
    district: District | None, limit: datetime
) -> Iterator[tuple[SealedEvents, set[int]]]:
    """Yield the oldest seals with expired events, and the primary keys of those events."""
    expired = _sealed_before(district, limit)
    count = 0
    for number in list(expired.order_by("seal").values_list("seal", flat=True).distinct()):
        sealed = seals.load_valid_seal(number)
        if sealed is None:
            log.error(
                "audit seal %d is broken; its events are not removed although they are old enough",
                number,
            )
            continue
        keys = {
            event.pk for event in sealed.events if _belongs_to(event, district) and event.at < limit
        }
        yield sealed, keys
        count += len(keys)
        if count >= MAX_EVENTS_PER_TRANSACTION:
            return


def _sealed_before(district: District | None, limit: datetime) -> "QuerySet[AuditEvent]":
    return AuditEvent.objects.filter(district=district, at__lt=limit, seal__isnull=False)


def _belongs_to(event: AuditEvent, district: District | None) -> bool:
    return event.district_id == (district.pk if district else None)
