"""Remove old changes of students, by the setting of their district.

When a student was added, left or came back is kept as long as the student, because that says when a
student who left can be erased.

Changes get their primary keys in the order of time, so each district stores the key up to which its
changes have been looked at. Without it, every run would read the changes that are kept.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta

from django.db import transaction
from django.db.models import Max, QuerySet

from rollbook.accounts.audit import log
from rollbook.accounts.audit.retention import ACTION, AGENT
from rollbook.accounts.retention_guard import Due
from rollbook.db import bulk
from rollbook.districts.models import District
from rollbook.students.models import Change
from rollbook.students.writer import STUDENT_ADDED
from rollbook.text import count_of

CHANGES_PER_BATCH = 2000
STATUS = "STATUS"
KEPT_FIELDS = (STUDENT_ADDED, STATUS)


def remove_expired(district: District, now: datetime) -> int:
    """Remove a batch of the district's expired changes; return how many."""
    limit = _limit(district, now)
    last = _last_expired(district, limit)
    if last <= district.history_removed_through:
        return 0
    found = _expired(district, limit, last).order_by("pk").values_list("pk", flat=True)
    keys = list(found[:CHANGES_PER_BATCH])
    if len(keys) == CHANGES_PER_BATCH:
        last = keys[-1]
    with transaction.atomic():
        removed = bulk.delete(Change, "id", keys)
        District.objects.filter(pk=district.pk).update(history_removed_through=last)
        if removed:
            log.record(
                ACTION,
                "history removed",
                district=district,
                agent=AGENT,
                detail=f"{count_of(removed, 'change')} before {limit:%Y-%m-%d}",
                now=now,
            )
    return removed


def count_due(districts: Iterable[District], now: datetime) -> Due:
    """Count the changes that have expired."""
    due = 0
    for district in districts:
        limit = _limit(district, now)
        due += _expired(district, limit, _last_expired(district, limit)).count()
    return Due(due, Change.objects.count() if due else 0)


def _limit(district: District, now: datetime) -> datetime:
    """Return the time before which changes have expired: a midnight, so once a day."""
    kept = timedelta(days=district.history_kept_days)
    return datetime.combine((now - kept).astimezone(UTC).date(), time(), UTC)


def _last_expired(district: District, limit: datetime) -> int:
    """Return the last primary key before the first change that is kept, of any district."""
    newer = Change.objects.filter(pk__gt=district.history_removed_through, changed_at__gte=limit)
    first: int | None = newer.order_by("pk").values_list("pk", flat=True).first()
    if first is not None:
        return first - 1
    newest: int | None = Change.objects.aggregate(key=Max("pk"))["key"]
    return newest or 0


def _expired(district: District, limit: datetime, last: int) -> "QuerySet[Change]":
    changes = Change.objects.filter(
        pk__gt=district.history_removed_through,
        pk__lte=last,
        changed_at__lt=limit,
        student__district=district,
    )
    return changes.exclude(field__in=KEPT_FIELDS)
