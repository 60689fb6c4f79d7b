"""Erase students who became inactive long ago, by the setting of their district.

The record, its history and links, the rows of updates that belong to it and their problems are
removed. Uploaded files aren't read for it, as they are when one student is erased: they and rows
that were rejected expire by their own settings, and the certificate says when.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import partial

from django.db.models import Exists, OuterRef, QuerySet

from rollbook.accounts.retention_guard import Due
from rollbook.db import bulk
from rollbook.districts.models import District
from rollbook.operations.lifecycle.destruction import Removed
from rollbook.operations.lifecycle.erasure import remove_records
from rollbook.operations.models import Destruction
from rollbook.operations.retention import erasing
from rollbook.operations.retention.history import KEPT_FIELDS
from rollbook.students.models import Change, Student
from rollbook.updates.models import Draft, Problem, StagedRow, UpdateJob

STUDENTS_PER_BATCH = 200
PERSONS = "students"


def remove_expired(district: District, now: datetime) -> int:
    """Erase a batch of students who left; return how many."""
    expired = _expired(district, now)
    return erasing.erase_batch(district, expired, partial(_erase, now=now))


def count_due(districts: Iterable[District], now: datetime) -> Due:
    """Count the students who left long enough ago."""
    due = sum(_expired(district, now).count() for district in districts)
    return Due(due, Student.objects.count() if due else 0)


def _expired(district: District, now: datetime) -> "QuerySet[Student]":
    """Return the inactive students who were neither added nor changed their status since then."""
    if not district.leavers_kept_days:
        return Student.objects.none()
    limit = now - timedelta(days=district.leavers_kept_days)
    changes = Change.objects.filter(student=OuterRef("pk"), field__in=KEPT_FIELDS)
    return Student.objects.filter(
        Exists(changes.filter(changed_at__lt=limit)),
        ~Exists(changes.filter(changed_at__gte=limit)),
        district=district,
        status="inactive",
    )


def _erase(district: District, *, now: datetime) -> Destruction | None:
    # Locked, so that nobody makes one of them active meanwhile.
    expired = _expired(district, now).order_by("pk").select_for_update()
    keys = list(expired.values_list("pk", flat=True)[:STUDENTS_PER_BATCH])
    if not keys:
        return None
    remaining = _remaining(district, now)
    removed = _remove_rows(district, keys) + remove_records(keys)
    return erasing.certify(district, PERSONS, keys, removed, remaining, now)


def _remove_rows(district: District, keys: list[int]) -> Removed:
    """Remove the rows of updates that belong to these students, and the problems on their lines."""
    updates = UpdateJob.objects.filter(district=district, details_removed_at=None)
    removed: Removed = Counter()
    for update in updates.values_list("pk", flat=True):
        rows = dict(
            StagedRow.objects.filter(update=update, student__in=keys).values_list("pk", "line")
        )
        problems = Problem.objects.filter(update=update, line__in=set(rows.values()))
        removed["problems"] += bulk.delete(
            Problem, "id", list(problems.values_list("pk", flat=True))
        )
        removed["rows"] += bulk.delete(StagedRow, "id", list(rows))
    return removed


def _remaining(district: District, now: datetime) -> list[str]:
    """Return a line for each place that can still name the students, with its last day."""
    lines = []
    updates = UpdateJob.objects.filter(district=district)
    drafts = Draft.objects.filter(district=district, update=None)
    if updates.filter(file_removed_at=None).exists() or drafts.exists():
        day = erasing.until(district, now, district.files_kept_days)
        lines.append(f"uploaded files that contain them, until {day}")
    if updates.filter(details_removed_at=None).exists():
        day = erasing.until(district, now, district.details_kept_days)
        lines.append(f"rejected rows and problems that name them, until {day}")
    return lines
