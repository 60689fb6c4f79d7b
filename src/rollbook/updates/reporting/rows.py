"""The rows of an update that did something or were rejected, a page at a time: what each said, of whom, how it ended.

Rows that were simply unchanged are counted by an update and kept nowhere.
"""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from django.db.models import Q

from rollbook.pagination import Page, page_of
from rollbook.studentfile.columns import BY_NAME
from rollbook.studentfile.problems.problem import Problem
from rollbook.students.models import Change, Student
from rollbook.students.name_keys import name_key
from rollbook.students.writer import STUDENT_ADDED
from rollbook.updates.exports.changes import format_value
from rollbook.updates.models import StagedRow, StagedRowQuerySet, UpdateJob
from rollbook.updates.problem_store import to_problem
from rollbook.updates.reporting import state_words
from rollbook.updates.state_machine import UNFINISHED, Outcome

MAX_NAMED_STUDENTS = 1000
WAITING, NOT_PROCESSED = state_words.WAITING.word, state_words.NOT_PROCESSED.word
OUTCOMES = (Outcome.UPDATED.value, Outcome.ADDED.value, Outcome.REJECTED.value, WAITING)
"""What rows can be picked by; those that still wait when the update has ended are told as not processed."""


@dataclass(frozen=True)
class StudentRef:
    """A student as it is called now; ``key`` is None of one who is not enrolled, called as the row does."""

    key: int | None
    name: str
    student_id: str


@dataclass(frozen=True)
class FieldChange:
    """One column, and its old and new value as the student file writes them; of PASSWORD only that it changes."""

    column: str
    old: str
    new: str


@dataclass(frozen=True)
class RowView:
    """One row: the line of the file it stands on, how it ended, whom it means, what it changes and what is wrong."""

    number: int
    outcome: str
    student: StudentRef | None
    changes: tuple[FieldChange, ...]
    problems: tuple[Problem, ...]


def rows_of(
    update: UpdateJob, outcome: str | None = None, search: str = "", page: int = 1, size: int = 50
) -> Page[RowView]:
    """The rows in the order of their lines, of all outcomes or one out of OUTCOMES.

    ``search`` is the number of a line, a STUDENT_ID, a username, or words out of a name, of which the first MOST_NAMED
    rows are found.
    """
    outcome = outcome if outcome in OUTCOMES else None
    rows = _with_selected_outcome(update, outcome)
    if search.strip():
        found = _found(rows, update, search.strip())
        return page_of(
            len(found), page, size, lambda first, last: _lines(update, found[first:last])
        )
    total = _count(update, outcome)
    return page_of(
        total, page, size, lambda first, last: _lines(update, _between(rows, first, last, total))
    )


def _with_selected_outcome(update: UpdateJob, outcome: str | None) -> StagedRowQuerySet:
    """All but the few that turned out to be unchanged after all."""
    rows = StagedRow.objects.filter(update=update).with_outcome(update)
    if outcome is None:
        return rows.except_unchanged()
    if outcome == WAITING:
        return rows.unapplied(update)
    return rows.that_ended(Outcome(outcome), update)


def _count(update: UpdateJob, outcome: str | None) -> int:
    """How many those are, by what the update has counted."""
    if outcome is None:
        return sum(_count(update, each) for each in OUTCOMES)
    if outcome == WAITING:
        # Once all are checked, those without an outcome are just those that wait.
        return update.not_processed if update.applying_at else update.rows_staged
    counted: int = getattr(update, f"rows_{outcome}")
    return counted


def _between(rows: StagedRowQuerySet, first: int, last: int, total: int) -> list[StagedRow]:
    """Those from one place up to another, by way of the nearer end: the database has to pass all before them."""
    if first <= total // 2:
        return list(rows.order_by("line")[first:last])
    return list(rows.order_by("-line")[max(0, total - last) : total - first])[::-1]


def _found(rows: StagedRowQuerySet, update: UpdateJob, search: str) -> list[StagedRow]:
    """A line or a key is looked up, and only what is none is looked for among the names."""
    if keys := _rows_by_key(update, search):
        return sorted(rows.filter(pk__in=keys), key=lambda row: row.line)
    return list(rows.filter(_named(update, search)).order_by("line")[:MAX_NAMED_STUDENTS])


def _rows_by_key(update: UpdateJob, search: str) -> set[int]:
    """Keys of the rows that stand on this line or mean or name a student with this STUDENT_ID or username."""
    username = search.lower()
    students = Student.objects.filter(district=update.district_id)
    known = [*students.filter(student_id=search), *students.filter(username=username)]
    ways = [Q(student__in=known), Q(claims_student_id=search), Q(claims_username=username)]
    if search.isdecimal() and len(search) < 10:
        ways.append(Q(line=int(search)))
    return {
        pk for way in ways for pk in update.stagedrow_set.filter(way).values_list("pk", flat=True)
    }


def _named(update: UpdateJob, search: str) -> Q:
    """Rows that mean or name a student in whose name each of the words occurs."""
    words = [name_key(word, "").strip("\x1f") for word in search.split()]
    now, then = Q(), Q()
    for word in words:
        now &= Q(student__name_key__contains=word)
        then &= Q(claims_name_key__contains=word)
    return now | then


def _lines(update: UpdateJob, rows: list[StagedRow]) -> list[RowView]:
    ended = {row.line: _outcome_word(update, row) for row in rows}
    students = Student.objects.in_bulk([row.student_id for row in rows if row.student_id])
    added = _added_students(update, [row for row in rows if ended[row.line] == Outcome.ADDED])
    made = _changes_by_student(
        update, [row.student_id for row in rows if ended[row.line] == Outcome.UPDATED]
    )
    problems = _problems(update, list(ended))
    return [
        RowView(
            row.line,
            ended[row.line],
            _student_ref(students.get(row.student_id or 0) or added.get(row.line), row),
            tuple(
                made[row.student_id]
                if ended[row.line] == Outcome.UPDATED
                else _staged_changes(row, ended[row.line])
            ),
            tuple(problems[row.line]),
        )
        for row in rows
    ]


def _outcome_word(update: UpdateJob, row: StagedRow) -> str:
    """Return the row's outcome, or how one is called that has none."""
    return row.effective_outcome or (WAITING if update.state in UNFINISHED else NOT_PROCESSED)


def _changes_by_student(
    update: UpdateJob, students: Iterable[int | None]
) -> Mapping[int | None, list[FieldChange]]:
    """Student to what the history tells: between check and change somebody else may have made a part of it."""
    made: defaultdict[int | None, list[FieldChange]] = defaultdict(list)
    # All of their changes, and not those of the update, which may be a million: so the database cannot mistake it.
    found = Change.objects.filter(student__in=[*students]).values_list(
        "update__pk", "student__pk", *_HISTORY_FIELDS
    )
    for by, student, _, column, old, new in sorted(found, key=lambda change: change[2]):
        if by == update.pk:
            made[student].append(
                FieldChange(column, format_value(column, old), format_value(column, new))
            )
    return made


_HISTORY_FIELDS = ("pk", "field", "old", "new")


def _staged_changes(row: StagedRow, ended_as: str) -> Iterator[FieldChange]:
    """What a new student's row brought, and what one that waits would change; the others changed nothing."""
    if ended_as in {Outcome.REJECTED, Outcome.UNCHANGED} or not row.values_json:
        return
    for column, said in json.loads(row.values_json).items():
        old, new = said if row.student_id else ("", said)
        if BY_NAME[column].secret:
            yield FieldChange(column, "", "changed")
        elif old != new:
            yield FieldChange(column, format_value(column, old), format_value(column, new))


def _added_students(update: UpdateJob, rows: list[StagedRow]) -> dict[int, Student]:
    """Line to the student whom its row added, as long as that has kept its name and date of birth."""
    lines = {(row.claims_name_key, row.claims_dob): row.line for row in rows}
    students = Student.objects.filter(
        district=update.district_id,
        name_key__in={name for name, _ in lines},
        pk__in=Change.objects.filter(update=update, field=STUDENT_ADDED).values("student"),
    )
    return {
        lines[key]: student
        for student in students
        if (key := (student.name_key, student.dob)) in lines
    }


def _problems(update: UpdateJob, lines: Collection[int]) -> Mapping[int | None, list[Problem]]:
    found: defaultdict[int | None, list[Problem]] = defaultdict(list)
    for problem in update.problem_set.filter(line__in=lines).order_by("line", "pk"):
        found[problem.line].append(to_problem(problem))
    return found


def _student_ref(student: Student | None, row: StagedRow) -> StudentRef | None:
    if student:
        return StudentRef(
            student.pk, f"{student.first_name} {student.last_name}", student.student_id or ""
        )
    said = json.loads(row.values_json) if row.values_json and not row.student_id else {}
    name = (
        f"{said['FIRST_NAME']} {said['LAST_NAME']}"
        if said
        else (row.claims_name_key or "").replace("\x1f", " ")
    )
    return (
        StudentRef(None, name, row.claims_student_id or "")
        if name or row.claims_student_id
        else None
    )
