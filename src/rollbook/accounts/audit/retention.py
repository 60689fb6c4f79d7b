"""Audit events are removed when they are as old as their district has settled; what is left stays sealed.

A seal stays, and tells how many of its events are gone. One that does not fit is not touched, and nothing under it:
what was changed behind Rollbook's back stays as it is, for whoever looks into that. Events of no district, such as
sign-ins under a login that nobody has, are kept for the longest time there is.
"""

import logging
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta

from django.db import transaction

from rollbook.accounts.audit import log as audit_log
from rollbook.accounts.audit import seals
from rollbook.accounts.audit.seals import SealedEvents
from rollbook.accounts.models import AuditEvent
from rollbook.districts.models import AUDIT_KEPT_YEARS, District

ACTION, AGENT = "retention", "the server itself"
"""How the audit names what is removed because it is old, and who does that."""

AT_ONCE = 2000  # events of one transaction, after which no further seal is begun with
YEAR = timedelta(days=366)  # so that nothing goes a day too early

log = logging.getLogger(__name__)


def remove_expired(now: datetime) -> int:
    """Remove some of the events that are too old, and note how many; returns that, and 0 if no more is to be done."""
    districts: list[District | None] = [*District.objects.order_by("pk"), None]
    return sum(_forget(district, now) for district in districts)


def _forget(district: District | None, now: datetime) -> int:
    """What goes of a district goes in one transaction with the note of it."""
    before = _before(district, now)
    found = list(_some(district, before))
    removed = sum(len(going) for _, going in found)
    if removed:
        with transaction.atomic():
            for sealed, going in found:
                seals.remove_events(sealed, going)
            audit_log.record(
                ACTION,
                "audit removed",
                district=district,
                agent=AGENT,
                detail=f"{removed:,} {'event' if removed == 1 else 'events'} of before {before:%Y-%m-%d}",
                now=now,
            )
    return removed


def _before(district: District | None, now: datetime) -> datetime:
    """A midnight, so that there is one note a day: else the notes would be as many as what they replace."""
    years = district.audit_kept_years if district else AUDIT_KEPT_YEARS[1]
    return datetime.combine((now - years * YEAR).astimezone(UTC).date(), time(), UTC)


def _some(district: District | None, before: datetime) -> Iterator[tuple[SealedEvents, set[int]]]:
    """The oldest seals under which some of these events are, and the keys of those."""
    old = AuditEvent.objects.filter(district=district, at__lt=before, seal__isnull=False)
    found = 0
    for number in list(old.order_by("seal").values_list("seal", flat=True).distinct()):
        sealed = seals.load_valid_seal(number)
        if sealed is None:
            log.error(
                "seal %d of the audit does not fit, and what is under it is not removed though it is old",
                number,
            )
            continue
        going = {
            event.pk for event in sealed.events if _is_of(event, district) and event.at < before
        }
        yield sealed, going
        found += len(going)
        if found >= AT_ONCE:
            return


def _is_of(event: AuditEvent, district: District | None) -> bool:
    return event.district_id == (district.pk if district else None)
