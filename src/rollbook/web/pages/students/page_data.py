"""Load the data of a student's page: the record in sections, its history and rejected rows."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from rollbook.pagination import Page, get_page
from rollbook.studentfile.columns import CONFIDENTIAL
from rollbook.studentfile.problems.problem import Problem
from rollbook.students import recognition, snapshots
from rollbook.students.models import Change, Student
from rollbook.students.writer import STUDENT_ADDED
from rollbook.updates import models
from rollbook.updates.problem_store import to_problem
from rollbook.updates.reporting.rejected_rows import rejected_rows_about
from rollbook.web.pages.base.column_labels import SECTIONS, display_value, label

PAGE_SIZE = 50  # changes
HIDDEN = CONFIDENTIAL | {"STAFF", "STATUS"}  # these are shown on request, or outside the sections


@dataclass(frozen=True)
class Fact:
    """One field that the student has, worded for people."""

    label: str
    value: str


@dataclass(frozen=True)
class Group:
    """Fields under a title."""

    title: str
    facts: tuple[Fact, ...]


@dataclass(frozen=True)
class ChangeView:
    """One change of a field.

    Attributes:
        at: when it was made.
        label: the field, for people.
        old: the value before.
        new: the value after.
        hidden: whether the values are confidential and were not asked for.
        added: whether the student was added; then there are no values.
        secret: whether the values are never shown.
        update: the number of the update that made the change, if one did.
        undoes: the number of the update that it has undone, if it has.
        by: the name of the member who made the change, if one did.
    """

    at: datetime
    label: str
    old: str
    new: str
    hidden: bool
    added: bool
    secret: bool
    update: int | None
    undoes: int | None
    by: str


@dataclass(frozen=True)
class RejectedRow:
    """A rejected row about the student, and its problems.

    Attributes:
        update: the number of the update.
        line: the line in its file.
        at: when the file was received.
        problems: why the row was rejected, and its warnings.
        is_matched: whether the row was matched with the student; otherwise it has only the
            student's ID, username, or name and date of birth.
    """

    update: int
    line: int
    at: datetime
    problems: tuple[Problem, ...]
    is_matched: bool


@dataclass(frozen=True)
class StudentRecord:
    """The fields of a student: those shown right away, and the confidential ones if opened.

    Attributes:
        open: the fields in sections, without empty ones.
        confidential: the confidential fields that have a value.
        empty: the names of the fields shown right away that have no value.
        empty_confidential: the names of the confidential fields that have no value.
    """

    open: tuple[Group, ...]
    confidential: tuple[Fact, ...]
    empty: tuple[str, ...]
    empty_confidential: tuple[str, ...]


def record_of(student: Student, *, confidential: bool) -> StudentRecord:
    """Return the student's current values, without the password."""
    snapshot = snapshots.load_with_links([student.pk])[student.pk]
    values = {name: display_value(name, value) for name, value in snapshot.values.items()}
    values["SCHOOL_ID"] = student.school.title
    groups: list[Group] = []
    empty: list[str] = []
    on_request: list[str] = []
    for section in SECTIONS:
        names = [column.name for column in section.columns if not column.secret]
        on_request += filter(CONFIDENTIAL.__contains__, names)
        facts, missing = _facts([name for name in names if name not in HIDDEN], values)
        empty += missing
        if facts:
            groups.append(Group(section.title, facts))
    if not confidential:
        on_request = []
    opened, empty_on_request = _facts(on_request, values)
    return StudentRecord(tuple(groups), opened, tuple(empty), tuple(empty_on_request))


def _facts(
    names: Iterable[str], values: Mapping[str, str]
) -> tuple[tuple[Fact, ...], tuple[str, ...]]:
    """Return the fields that have a value, and the names of the others."""
    facts = [(label(name), values[name]) for name in names]
    present = tuple(Fact(*fact) for fact in facts if fact[1])
    return present, tuple(name for name, value in facts if not value)


def short_name(student: Student) -> str:
    """Return what identifies a student in a sentence: the name, and the ID or username."""
    key = student.student_id or f"no ID, username {student.username}"
    return f"{student.first_name} {student.last_name} ({key})"


def history_of(student: Student, number: int, *, confidential: bool) -> Page[ChangeView]:
    """Return page ``number`` of all changes of the student, the latest first."""

    def view(change: Change) -> ChangeView:
        return _change_view(change, hidden=not confidential and change.field in CONFIDENTIAL)

    changes = Change.objects.filter(student=student)
    # Changes made at the same time are in the order of the columns.
    ordered = changes.select_related("update__undoes", "member").order_by("-changed_at", "pk")
    return get_page(
        changes.count(),
        number,
        PAGE_SIZE,
        lambda first, last: [view(change) for change in ordered[first:last]],
    )


def rejected_of(student: Student, *, confidential: bool) -> list[RejectedRow]:
    """Return the rejected rows about the student in the latest updates, the latest first."""
    rows = rejected_rows_about(student)
    return [_rejected_row(row, confidential=confidential) for row in rows]


def students_quoted(
    student: Student, rejected: Iterable[RejectedRow], history: Iterable[ChangeView]
) -> set[int]:
    """Return the primary keys of the students whom a student's problems and changes name.

    A former ID or username can be that of another student by now.
    """
    texts = [text for change in history for text in (change.old, change.new)]
    for row in rejected:
        texts += [problem.message for problem in row.problems]
    return recognition.students_named(student.district_id, texts)


def _rejected_row(row: models.StagedRow, *, confidential: bool) -> RejectedRow:
    stored = models.Problem.objects.filter(update=row.update, line=row.line).order_by("pk")
    problems = tuple(to_problem(problem) for problem in stored)
    if not confidential:
        problems = tuple(problem.without_confidential() for problem in problems)
    facts = (row.update.number, row.line, row.update.received_at, problems)
    return RejectedRow(*facts, is_matched=row.student_id is not None)


def _change_view(change: Change, *, hidden: bool) -> ChangeView:
    is_added = change.field == STUDENT_ADDED
    name = "Student" if is_added else label(change.field)
    update = change.update.number if change.update else None
    undone = change.update.undoes if change.update else None
    member = change.member.name if change.member else ""
    old, new = "", ""
    if not hidden:
        old, new = (display_value(change.field, value) for value in (change.old, change.new))
    return ChangeView(
        at=change.changed_at,
        label=name,
        old=old,
        new=new,
        hidden=hidden,
        added=is_added,
        secret=change.field == "PASSWORD",
        update=update,
        undoes=undone.number if undone else None,
        by=member,
    )
