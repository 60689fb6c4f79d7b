"""Load the data of a student's page: the record in sections, its history and rejected rows."""

from collections.abc import Iterable
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
from rollbook.web.pages.base.column_labels import SECTIONS, display_value, label

PAGE_SIZE = 50  # changes
LATEST_UPDATES = 30  # in which rejected rows are looked up
ELSEWHERE = frozenset({"STAFF", "STATUS"})  # the page shows these outside the sections


@dataclass(frozen=True)
class Fact:
    """One field, worded for people; ``value`` is empty if the student has none."""

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
    by: str


@dataclass(frozen=True)
class RejectedRow:
    """A rejected row about the student, and its problems."""

    update: int
    line: int
    at: datetime
    problems: tuple[Problem, ...]


@dataclass(frozen=True)
class StudentRecord:
    """The fields of a student: those shown right away, and the confidential ones if opened."""

    open: tuple[Group, ...]
    confidential: tuple[Fact, ...]


def record_of(student: Student, *, confidential: bool) -> StudentRecord:
    """Return the student's current values, without the password."""
    snapshot = snapshots.load_with_links([student.pk])[student.pk]
    values = {name: display_value(name, value) for name, value in snapshot.values.items()}
    values["SCHOOL_ID"] = student.school.title
    groups = []
    facts_on_request: list[Fact] = []
    for section in SECTIONS:
        names = [column.name for column in section.columns if not column.secret]
        if confidential:
            opened = filter(CONFIDENTIAL.__contains__, names)
            facts_on_request += [Fact(label(name), values[name]) for name in opened]
        visible = [name for name in names if name not in CONFIDENTIAL | ELSEWHERE]
        if visible:
            facts = tuple(Fact(label(name), values[name]) for name in visible)
            groups.append(Group(section.title, facts))
    return StudentRecord(tuple(groups), tuple(facts_on_request))


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
    ordered = changes.select_related("update", "member").order_by("-changed_at", "pk")
    return get_page(
        changes.count(),
        number,
        PAGE_SIZE,
        lambda first, last: [view(change) for change in ordered[first:last]],
    )


def rejected_of(student: Student, *, confidential: bool) -> list[RejectedRow]:
    """Return the rejected rows about the student in the latest updates, the latest first."""
    updates = models.UpdateJob.objects.filter(district=student.district_id, details_hidden_at=None)
    latest = list(updates.order_by("-number").values_list("pk", flat=True)[:LATEST_UPDATES])
    rows = models.StagedRow.objects.rejected().filter(update__in=latest, student=student)
    ordered = rows.select_related("update").order_by("-update__number", "line")
    return [_rejected_row(row, confidential=confidential) for row in ordered]


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
    return RejectedRow(row.update.number, row.line, row.update.received_at, problems)


def _change_view(change: Change, *, hidden: bool) -> ChangeView:
    is_added = change.field == STUDENT_ADDED
    name = "Student" if is_added else label(change.field)
    update = change.update.number if change.update else None
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
        by=member,
    )
