"""Stage what setting back an update does to its students, in place of checking a file.

Each student whom the update changed is a row; its line is the student's place in the order of the
IDs. From there on, the rows are those of any other update: conflicts are resolved, the plan waits
for a person, and what was approved is applied to students who haven't changed since.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import F, Max

from rollbook.districts.local_dates import local_date
from rollbook.studentfile.problems.problem import Problem
from rollbook.studentfile.values.free_text import split_list
from rollbook.students import snapshots, staff_schools, writer
from rollbook.students.models import Change
from rollbook.students.passwords import ImportedPasswords
from rollbook.students.snapshots import StudentSnapshot
from rollbook.text import format_date
from rollbook.updates import problem_store, transitions
from rollbook.updates.checking import staged_rows
from rollbook.updates.checking.staged_rows import StagedRowTuple
from rollbook.updates.leftovers import DIGEST_MARK
from rollbook.updates.models import UpdateJob
from rollbook.updates.state_machine import Outcome, State
from rollbook.updates.undoing.reversal import LeftField, PastChange, Places, Reversal, plan_reversal

STUDENTS_PER_STEP = 1000


@dataclass(slots=True)
class _History:
    """What an update did to a student, and what has happened since."""

    changes: dict[str, PastChange] = field(default_factory=dict)
    later: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class _Batch:
    """The rows of some students, and their problems."""

    rows: list[StagedRowTuple] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def count(self, outcome: Outcome | None) -> int:
        """Return how many rows have an outcome, or none."""
        return [row.outcome for row in self.rows].count(outcome)


def steps(update: UpdateJob, run: str) -> Iterator[None]:
    """Stage the students who haven't been staged yet, one batch per step.

    Raises:
        Fenced: Another run has taken over the update, or it was canceled.
    """
    last = update.stagedrow_set.aggregate(last=Max("student"))["last"] or 0
    changes = Change.objects.filter(update=update.undoes_id, student__gt=last)
    students: list[int] = list(
        changes.order_by("student_id").values_list("student_id", flat=True).distinct()
    )
    for start in range(0, len(students), STUDENTS_PER_STEP):
        with transaction.atomic():
            _stage(update, run, students[start : start + STUDENTS_PER_STEP])
        yield
    update.refresh_from_db(fields=["rows", "rows_read"])
    if update.rows != update.rows_read:  # students have been erased since it was started
        transitions.record_progress(update.pk, State.CHECKING, run, rows=update.rows_read)


def _stage(update: UpdateJob, run: str, students: Sequence[int]) -> None:
    """Stage some students, in the caller's transaction.

    Raises:
        Fenced: Another run has taken over the update, or it was canceled.
    """
    update.refresh_from_db(fields=["rows_read"])
    batch = _evaluate(update, students)
    staged_rows.stage(update.pk, batch.rows)
    counters: dict[str, Any] = {
        "rows_read": F("rows_read") + len(batch.rows),
        "rows_staged": F("rows_staged") + batch.count(None),
        "rows_unchanged": F("rows_unchanged") + batch.count(Outcome.UNCHANGED),
        "rows_rejected": F("rows_rejected") + batch.count(Outcome.REJECTED),
        **problem_store.report(update, batch.problems),
    }
    transitions.record_progress(update.pk, State.CHECKING, run, **counters)


def _evaluate(update: UpdateJob, students: Sequence[int]) -> _Batch:
    # The students first: what changes one after this makes the plan out of date.
    now = snapshots.load_with_links(students)
    histories = _load_histories(update, students)
    places = _places(update, histories.values())
    batch = _Batch()
    present = [now[student] for student in students if student in now]
    for line, student in enumerate(present, update.rows_read + 1):
        history = histories[student.pk]
        reversal = plan_reversal(history.changes, student.values, history.later, places)
        batch.rows.append(_row(line, student, reversal))
        batch.problems += [_problem(line, left, reversal) for left in reversal.left]
    return batch


class _Change(NamedTuple):
    """An entry of the history, in the order of ``_CHANGE_FIELDS``."""

    student: int
    field: str
    old: str
    new: str
    update: int | None
    number: int | None
    at: datetime


_CHANGE_FIELDS = (
    "student__pk",
    "field",
    "old",
    "new",
    "update__pk",
    "update__number",
    "changed_at",
)


def _load_histories(update: UpdateJob, students: Sequence[int]) -> dict[int, _History]:
    """Return the history of students from the update on that is undone."""
    histories: defaultdict[int, _History] = defaultdict(_History)
    # Selected by student only: an update may have a million changes.
    changes = Change.objects.filter(student__in=students).order_by("pk")
    for change in map(_Change._make, changes.values_list(*_CHANGE_FIELDS).iterator()):
        history = histories[change.student]
        if change.update == update.undoes_id:
            first = history.changes.get(change.field, change)
            history.changes[change.field] = PastChange(first.old, change.new)
        elif history.changes:
            history.later.pop(change.field, None)  # the last one comes last
            history.later[change.field] = _cause(update, change)
    return histories


def _cause(update: UpdateJob, change: _Change) -> str:
    """Return what made a change, after ``changed``."""
    if change.number is not None:
        return f"in update {change.number}"
    return f"by hand on {format_date(local_date(update.district, change.at))}"


def _places(update: UpdateJob, histories: Any) -> Places:
    cells = [history.changes["STAFF"].old for history in histories if "STAFF" in history.changes]
    emails = {email for cell in cells for email in split_list(cell)}
    staff = staff_schools.load(update.district_id, emails)

    def works_at(email: str, school: str) -> bool:
        member = staff.get(email)
        return member is not None and member.works_at(school)

    return Places(writer.school_keys(update.district_id), works_at)


def _row(line: int, student: StudentSnapshot, reversal: Reversal) -> StagedRowTuple:
    if reversal.new:
        row = staged_rows.change_row(line, student, reversal.new, None, ImportedPasswords(None))
        if row.claims_student_id == "":  # it only releases its ID, and others may do so, too
            return row._replace(claims_student_id=f"{DIGEST_MARK}{student.pk}")
        return row
    outcome = Outcome.REJECTED if reversal.left else Outcome.UNCHANGED
    row = staged_rows.settled_row(line, outcome)
    return row._replace(student_id=student.pk, school=student.values["SCHOOL_ID"])


def _problem(line: int, left: LeftField, reversal: Reversal) -> Problem:
    """Return the error or, if other fields are set back, the warning about a field."""
    part = "part_" if reversal.new else ""
    advice = f"it changed {left.cause}; if that's wrong, edit the student by hand"
    hint = advice if left.cause else ""
    return Problem(f"undo_{part}{left.obstacle}", line, left.column, hint=hint)
