"""What erasing students and staff members by retention has in common.

A batch is one transaction, which erases the persons and stores the signed certificate. If the
process is killed, either both are there or neither; the next run finds who is left. The certificate
is also saved as a file, afterward; ``rollbook certificate save`` saves it again.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from rollbook.accounts.audit import log
from rollbook.accounts.audit.retention import ACTION, AGENT
from rollbook.districts.local_dates import local_date
from rollbook.districts.models import District
from rollbook.operations.lifecycle import certificates, resumption
from rollbook.operations.lifecycle import destruction as engine
from rollbook.operations.lifecycle.destruction import Removed
from rollbook.operations.models import Destruction
from rollbook.text import count_of
from rollbook.updates.models import UpdateJob
from rollbook.updates.state_machine import UNFINISHED

REQUESTED_BY = "retention"

_NOUNS = {"students": "student", "staff": "staff member"}

Erase = Callable[[District], Destruction | None]
"""Erases the next persons of a locked district; None if there are none."""


def idle_districts() -> list[District]:
    """Return the districts without an unfinished update that aren't being deleted."""
    busy = UpdateJob.objects.filter(state__in=UNFINISHED).values("district")
    return list(District.objects.filter(deleting_at=None).exclude(pk__in=busy).order_by("pk"))


def erase_batch(district: District, expired: "QuerySet[Any]", erase: Erase) -> int:
    """Erase a batch of persons, unless an update of the district is unfinished; return how many.

    Args:
        district: The district.
        expired: The persons to erase.
        erase: See ``Erase``.
    """
    if not expired.exists():
        return 0
    engine.overwrite_deleted()
    with transaction.atomic():
        # No update can be created or started until the transaction ends.
        locked = District.objects.select_for_update(no_key=True).get(pk=district.pk)
        unfinished = UpdateJob.objects.filter(district=locked, state__in=UNFINISHED)
        if locked.is_being_deleted or unfinished.exists():
            return 0
        destruction = erase(locked)
    if destruction is None:
        return 0
    engine.empty_write_ahead_log()
    resumption.save_or_log(destruction)
    return len(destruction.person_keys)


def certify(
    district: District,
    persons: str,
    keys: list[int],
    removed: Removed,
    remaining: list[str],
    now: datetime,
) -> Destruction:
    """Store the certificate and an audit event, in the caller's transaction.

    Args:
        district: The district.
        persons: ``students`` or ``staff``.
        keys: The primary keys of the persons.
        removed: What was removed: kind to count.
        remaining: What isn't removed yet, and until when.
        now: The present time.
    """
    destruction = Destruction(
        district_key=district.pk,
        district_slug=district.slug,
        district_name=district.name,
        persons=persons,
        person_keys=keys,
        requested_by=REQUESTED_BY,
        started_at=now,
        finished_at=now,
        counts=dict(removed),
        remaining=remaining,
    )
    destruction.save(force_insert=True)
    destruction.certificate = certificates.issue(destruction)  # contains the number of the row
    destruction.save(update_fields=["certificate"])
    log.record(
        ACTION,
        f"{persons} erased",
        district=district,
        agent=AGENT,
        detail=f"{count_of(len(keys), _NOUNS[persons])}, {destruction}",
        now=now,
    )
    return destruction


def until(district: District, now: datetime, days: int) -> str:
    """Return the last day on which something is kept that was added just now, ISO 8601."""
    return str(local_date(district, now + timedelta(days=days)))
