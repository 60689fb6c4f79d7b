"""Look at the changes that a file would make: do they undo recent ones, or exchange day and month?

Of a plan with very many changes, those of the first students are looked at.
"""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import connection

from rollbook.studentfile.fixes import Fix, FixStep
from rollbook.studentfile.rules import DateOrder
from rollbook.students.diff import FOLLOW_SCHOOL
from rollbook.text import count_of, format_number
from rollbook.updates.feed.findings import THRESHOLDS, Finding
from rollbook.updates.models import UpdateJob

UNDONE_WITHIN = timedelta(days=14)
MAX_STUDENTS = 5000
PROVEN_SHARE = 0.95
_NOT_COMPARED = frozenset({"PASSWORD"})
"""A hash has another salt each time."""


class _Staged(NamedTuple):
    """A change of one field that a file would make."""

    student: int
    column: str
    old: str
    new: str


# OFFSET: PostgreSQL looks up each student, and can't read the whole table instead.
_UNDONE = """
SELECT item.key
FROM json_each(%s) AS item
WHERE EXISTS (
  SELECT 1 FROM students_change AS change
  WHERE change.student_id = CAST(item.value ->> 0 AS bigint) AND change.field = item.value ->> 1
    AND change.new = item.value ->> 2 AND change.old = item.value ->> 3
    AND change.changed_at >= %s AND change.update_id IS NOT NULL
  LIMIT 1 OFFSET 0)"""


def find(update: UpdateJob, now: datetime) -> Iterator[Finding]:
    """Yield what is unusual about the changes that a file would make."""
    staged = list(_staged(update))
    yield from _undone(staged, now)
    yield from _dates(update, [each for each in staged if each.column == "DOB"])


def _staged(update: UpdateJob) -> Iterator[_Staged]:
    rows = update.stagedrow_set.filter(outcome=None, student__isnull=False)
    columns = rows.order_by("apply_order").values_list("student_id", "values_json")
    for student, values in columns[:MAX_STUDENTS]:
        changes = json.loads(values)
        left_out = _NOT_COMPARED | (FOLLOW_SCHOOL if "SCHOOL_ID" in changes else set())
        for column, (old, new) in changes.items():
            if column not in left_out and old != new and student is not None:
                yield _Staged(student, column, old, new)


def _undone(staged: Sequence[_Staged], now: datetime) -> Iterator[Finding]:
    threshold = THRESHOLDS["goes_back"]
    if len(staged) < threshold.count:
        return
    undone = _changed_back(staged, now - UNDONE_WITHIN)
    if threshold.is_reached(len(undone), len(staged)):
        changes = count_of(len(staged), "change")
        yield Finding(
            "goes_back",
            len(undone),
            len(staged),
            holds=threshold.is_held(len(undone), len(staged)),
            hint=(
                f"{format_number(len(undone))} of {changes} undo a change of the last "
                f"{UNDONE_WITHIN.days} days"
            ),
            columns=frozenset(each.column for each in undone),
        )


def _changed_back(staged: Sequence[_Staged], since: datetime) -> list[_Staged]:
    """Return the changes whose opposite a file has made since then."""
    with connection.cursor() as cursor:
        cursor.execute(_UNDONE, [json.dumps(dict(enumerate(staged))), since])
        return [staged[int(place)] for (place,) in cursor.fetchall()]


def _dates(update: UpdateJob, staged: Sequence[_Staged]) -> Iterator[Finding]:
    threshold = THRESHOLDS["dates_day_first"]
    exchanged = sum(each.new == _with_day_and_month_exchanged(each.old) for each in staged)
    if not threshold.is_reached(exchanged, len(staged)):
        return
    order = DateOrder.MONTH_FIRST
    words = "month first"
    if update.file_rules.date_order is DateOrder.MONTH_FIRST:
        order, words = DateOrder.DAY_FIRST, "day first"
    is_proven = exchanged >= PROVEN_SHARE * len(staged)
    fixes = (Fix("DOB", FixStep.DATE_ORDER, order.value),) if is_proven else ()
    yield Finding(
        "dates_day_first",
        exchanged,
        len(staged),
        "DOB",
        holds=threshold.is_held(exchanged, len(staged)),
        hint=(
            f"{format_number(exchanged)} of {count_of(len(staged), 'changed date')} of birth are "
            f"those of the students when they are read {words}"
        ),
        fixes=fixes,
        columns=frozenset({"DOB"}),
    )


def _with_day_and_month_exchanged(date: str) -> str:
    """Return an ISO date with day and month exchanged; nothing if it has no other day."""
    year, _, rest = date.partition("-")
    month, _, day = rest.partition("-")
    return f"{year}-{day}-{month}" if day != month else ""
