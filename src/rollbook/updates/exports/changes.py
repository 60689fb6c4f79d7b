"""The changes that an update made, as a CSV file: one line for each field of a student, old value and new."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from django.db.models import F, Max, Min

from rollbook.studentfile import writer
from rollbook.studentfile.columns import BY_NAME
from rollbook.students.models import Change
from rollbook.students.writer import STUDENT_ADDED
from rollbook.text import format_datetime
from rollbook.updates.exports.original_rows import ensure_ended, ensure_not_removed
from rollbook.updates.models import UpdateJob

HEADER = ("LINE", "STUDENT_ID", "USERNAME", "FIRST_NAME", "LAST_NAME", "FIELD", "OLD", "NEW", "AT")
CHANGES_PER_QUERY = 1000  # changes looked up at a time


def csv_lines(update: UpdateJob) -> Iterator[str]:
    """The file's lines, in the order in which the changes were made; students are called as they are called now.

    A student that was added has no LINE any more if its name or date of birth is another one since. Raises, at once,
    as_sent.NotEnded, and as_sent.Removed: a file of all changes is a detail, though each student's history stays.
    """
    ensure_ended(update)
    ensure_not_removed(update, file=False)
    return writer.lines(HEADER, _rows(update))


def file_name(update: UpdateJob) -> str:
    """What to call the file."""
    return f"update-{update.number}-changes.csv"


def format_value(column: str, value: str) -> str:
    """The value as the student file writes it."""
    return BY_NAME[column].format(value) if value and column in BY_NAME else value


class _Made(NamedTuple):
    """One change as it goes out, but for its line, and by what that is found."""

    student: int
    name: tuple[str, object]
    field: str
    cells: list[str]


def _rows(update: UpdateJob) -> Iterator[list[str]]:
    for first in _stretches(update):
        made = list(_made(update, first))
        lines = _lines_of_known(update, made) | _lines_of_added(update, made)
        for change in made:
            yield [str(lines.get(change.student, "")), *change.cells]


def _stretches(update: UpdateJob) -> Iterator[int]:
    """Keys at which to begin; those of an update are close together.

    With the 0 PostgreSQL gathers the update's own keys, and does not go through everybody's in search of the first.
    """
    own = Change.objects.filter(update=update).annotate(key=F("pk") + 0)
    ends = own.aggregate(first=Min("key"), last=Max("key"))
    return iter(
        range(ends["first"], ends["last"] + 1, CHANGES_PER_QUERY)
        if ends["first"] is not None
        else ()
    )


def _made(update: UpdateJob, first: int) -> Iterator[_Made]:
    changes = Change.objects.filter(
        update=update, pk__gte=first, pk__lt=first + CHANGES_PER_QUERY
    ).order_by("pk")
    columns = ("student_id", "username", "first_name", "last_name", "name_key", "dob")
    for pk, field, old, new, at, *student in changes.values_list(
        "student",
        "field",
        "old",
        "new",
        "changed_at",
        *(f"student__{column}" for column in columns),
    ):
        *called, name_key, dob = student
        said = (
            field,
            format_value(field, old),
            format_value(field, new),
            format_datetime(at, update.district.time_zone),
        )
        yield _Made(pk, (name_key, dob), field, [*(cell or "" for cell in called), *said])


def _lines_of_known(update: UpdateJob, made: list[_Made]) -> dict[int, int]:
    """Student to line, of those who were enrolled before."""
    students = {change.student for change in made if change.field != STUDENT_ADDED}
    rows = update.stagedrow_set.without_own_outcome().filter(student__in=students)
    return dict(rows.values_list("student__pk", "line"))


def _lines_of_added(update: UpdateJob, made: list[_Made]) -> dict[int, int]:
    """Student to line, of those who were added: by name and date of birth, which are unique."""
    added = {change.name: change.student for change in made if change.field == STUDENT_ADDED}
    rows = update.stagedrow_set.without_own_outcome().filter(student=None)
    rows = rows.filter(claims_name_key__in={name for name, _ in added})
    found: Any = rows.values_list("claims_name_key", "claims_dob", "line")
    return {added[name, dob]: line for name, dob, line in found if (name, dob) in added}
