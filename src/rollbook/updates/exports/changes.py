"""Export the changes of an update as CSV: one line per changed field, with old and new value."""

from collections.abc import Iterator
from itertools import chain
from typing import Any, NamedTuple

from django.db.models import F, Max, Min

from rollbook.studentfile import writer
from rollbook.studentfile.columns import BY_NAME, CONFIDENTIAL
from rollbook.students import recognition
from rollbook.students.models import Change
from rollbook.students.writer import STUDENT_ADDED
from rollbook.text import format_timestamp
from rollbook.updates.exports.original_rows import ensure_ended, ensure_not_removed
from rollbook.updates.models import UpdateJob
from rollbook.updates.state_machine import Outcome

HEADER = ("LINE", "STUDENT_ID", "USERNAME", "FIRST_NAME", "LAST_NAME", "FIELD", "OLD", "NEW", "AT")
CHANGES_PER_QUERY = 1000

_CHANGE_FIELDS = ("student", "field", "old", "new", "changed_at")
_NAMES = ("student_id", "username", "first_name", "last_name")
_STUDENT_FIELDS = (*_NAMES, "name_key", "dob", "loose_key")


def csv_lines(update: UpdateJob, *, confidential: bool = True) -> Iterator[str]:
    """Return the lines of the CSV file, in the order in which the changes were made.

    Students have their current names. LINE is empty for an added student whose STUDENT_ID, or
    without one, whose name or date of birth has changed since. The complete list of changes counts
    as details of the update, so it is subject to retention; each student's history is not.

    Args:
        update: The update.
        confidential: Whether to include old and new values of confidential columns.

    Raises:
        NotEnded: If the update has not ended.
        RemovedByRetention: If the details of the update have been removed.
    """
    ensure_ended(update)
    ensure_not_removed(update, file=False)
    rows = _rows(update)
    if not confidential:
        rows = map(_without_confidential, rows)
    return writer.lines(HEADER, rows)


def students(update: UpdateJob) -> set[int]:
    """Return the primary keys of the students whom the file shows.

    An old or new ID or username can be that of another student by now.
    """
    changes = Change.objects.filter(update=update)
    changed = set(changes.values_list("student_id", flat=True).distinct())
    keys = changes.filter(field__in=("STUDENT_ID", "USERNAME")).values_list("old", "new")
    texts = set(chain.from_iterable(keys.iterator()))
    return changed | recognition.holders(update.district_id, texts, texts)


def file_name(update: UpdateJob) -> str:
    """Return the name of the download."""
    return f"update-{update.number}-changes.csv"


def format_value(column: str, value: str) -> str:
    """Return a stored value as it is written in a student file."""
    return BY_NAME[column].format(value) if value and column in BY_NAME else value


def added_key(student_id: str | None, name_key: str | None, dob: object) -> tuple[object, ...]:
    """Return what an added student and its row have in common: the ID, or name and birth date.

    Rows without an ID never add two students with the same name and date of birth.
    """
    return (student_id,) if student_id else (name_key, dob)


def _without_confidential(cells: list[str]) -> list[str]:
    """Return a line without the values of a confidential column."""
    if cells[HEADER.index("FIELD")] not in CONFIDENTIAL:
        return cells
    masked = list(cells)
    masked[HEADER.index("OLD")] = masked[HEADER.index("NEW")] = ""
    return masked


class _ChangeRow(NamedTuple):
    """One line of the CSV file without LINE, and what LINE is looked up by."""

    student: int
    student_id: str | None
    loose_key: int
    added_key: tuple[object, ...]
    field: str
    cells: list[str]


def _rows(update: UpdateJob) -> Iterator[list[str]]:
    for first in _first_keys(update):
        changes = list(_load_changes(update, first))
        lines = _lines_of_existing(update, changes) | _lines_of_added(update, changes)
        for change in changes:
            yield [str(lines.get(change.student, "")), *change.cells]


def _first_keys(update: UpdateJob) -> range:
    """Return the first primary key of each query; the keys of an update are close together.

    Adding 0 to the key makes PostgreSQL read the update's own changes through their index. Without
    it, PostgreSQL may scan the primary key of all changes to find the smallest one.
    """
    own_changes = Change.objects.filter(update=update).annotate(key=F("pk") + 0)
    bounds = own_changes.aggregate(first=Min("key"), last=Max("key"))
    if bounds["first"] is None:
        return range(0)
    return range(bounds["first"], bounds["last"] + 1, CHANGES_PER_QUERY)


def _load_changes(update: UpdateJob, first: int) -> Iterator[_ChangeRow]:
    time_zone = update.district.time_zone
    changes = Change.objects.filter(
        update=update, pk__gte=first, pk__lt=first + CHANGES_PER_QUERY
    ).order_by("pk")
    student_fields = [f"student__{name}" for name in _STUDENT_FIELDS]
    for pk, field, old, new, changed_at, *student in changes.values_list(
        *_CHANGE_FIELDS, *student_fields
    ):
        *identity, name_key, dob, loose_key = student
        student_id = identity[0]
        key = added_key(student_id, name_key, dob)
        values = (format_value(field, old), format_value(field, new))
        cells = [cell or "" for cell in identity]
        cells += [field, *values, format_timestamp(changed_at, time_zone)]
        yield _ChangeRow(pk, student_id, loose_key, key, field, cells)


def _lines_of_existing(update: UpdateJob, changes: list[_ChangeRow]) -> dict[int, int]:
    """Return the line of each student who was enrolled before the update, by student."""
    students = {change.student for change in changes if change.field != STUDENT_ADDED}
    rows = update.stagedrow_set.without_own_outcome().filter(student__in=students)
    return dict(rows.values_list("student__pk", "line"))


def _lines_of_added(update: UpdateJob, changes: list[_ChangeRow]) -> dict[int, int]:
    """Return the line of each added student."""
    added = [change for change in changes if change.field == STUDENT_ADDED]
    # Rows are linked with their students soon after the update has ended.
    linked = update.stagedrow_set.filter(
        student__in=[change.student for change in added], outcome=Outcome.ADDED
    )
    lines: dict[int, int] = dict(linked.values_list("student__pk", "line"))
    students = {change.added_key: change.student for change in added}
    rows = update.stagedrow_set.without_own_outcome().filter(student=None)
    with_id = rows.filter(claims_student_id__in=[change.student_id for change in added])
    loose_keys = [change.loose_key for change in added if not change.student_id]
    without_id = rows.filter(claims_student_id=None, claims_loose_key__in=loose_keys)
    for found in (with_id, without_id):
        values: Any = found.values_list(
            "claims_student_id", "claims_name_key", "claims_dob", "line"
        )
        for *keys, line in values:
            student = students.get(added_key(*keys))
            if student is not None:
                lines[student] = line
    return lines
