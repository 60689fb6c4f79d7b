"""One student as a page tells of it: the record in sections, what was ever changed, and the rows that were rejected."""

from dataclasses import dataclass
from datetime import datetime

from rollbook.pagination import Page, page_of
from rollbook.studentfile.problems.problem import Problem
from rollbook.students import snapshots
from rollbook.students.models import Change, Student
from rollbook.students.writer import STUDENT_ADDED
from rollbook.updates import models
from rollbook.updates.problem_store import to_problem
from rollbook.web.pages.base.column_labels import SECTIONS, SENSITIVE, label, shown

CHANGES = 50
LATEST_UPDATES = 30  # in which rejected rows are looked for
ELSEWHERE = frozenset({"STAFF", "STATUS"})  # the page shows these in ways of their own


@dataclass(frozen=True)
class Fact:
    """One field in the words of people; ``value`` is empty if there is none."""

    label: str
    value: str


@dataclass(frozen=True)
class Group:
    """Facts under a title."""

    title: str
    facts: tuple[Fact, ...]


@dataclass(frozen=True)
class ChangeView:
    """One change as it is told. ``by`` names the member, ``update`` the number of the update, if there was one."""

    at: datetime
    label: str
    old: str
    new: str
    sensitive: bool
    added: bool
    secret: bool
    update: int | None
    by: str


@dataclass(frozen=True)
class RejectedRow:
    """A row about the student that changed nothing, and why."""

    update: int
    line: int
    at: datetime
    problems: tuple[Problem, ...]


@dataclass(frozen=True)
class StudentRecord:
    """What is open at once, and what is shown to whoever asks for it."""

    open: tuple[Group, ...]
    sensitive: tuple[Fact, ...]


def record_of(student: Student) -> StudentRecord:
    """The values that the student has now, without the password."""
    record = snapshots.load_with_links([student.pk])[student.pk]
    values = {name: shown(name, value) for name, value in record.values.items()}
    values["SCHOOL_ID"] = student.school.title
    names = [
        (section.title, column.name)
        for section in SECTIONS
        for column in section.columns
        if not column.secret
    ]
    sensitive = tuple(Fact(label(name), values[name]) for _, name in names if name in SENSITIVE)
    groups = []
    for section in SECTIONS:
        own = [
            name
            for title, name in names
            if title == section.title and name not in SENSITIVE | ELSEWHERE
        ]
        if own:
            groups.append(
                Group(section.title, tuple(Fact(label(name), values[name]) for name in own))
            )
    return StudentRecord(tuple(groups), sensitive)


def history_of(student: Student, number: int) -> Page[ChangeView]:
    """Page ``number`` of all that was ever changed, the latest first."""
    changes = Change.objects.filter(student=student)
    ordered = changes.select_related("update", "member").order_by(
        "-changed_at", "pk"
    )  # of one moment in the order of the columns
    return page_of(
        changes.count(),
        number,
        CHANGES,
        lambda first, last: [_change_view(one) for one in ordered[first:last]],
    )


def rejected_of(student: Student) -> list[RejectedRow]:
    """Rows about the student in the district's latest updates that were rejected, the latest first."""
    latest = list(
        models.UpdateJob.objects.filter(district=student.district_id, details_hidden_at=None)
        .order_by("-number")
        .values_list("pk", flat=True)[:LATEST_UPDATES]
    )
    rows = models.StagedRow.objects.rejected().filter(update__in=latest, student=student)
    return [
        _rejected(row) for row in rows.select_related("update").order_by("-update__number", "line")
    ]


def _rejected(row: models.StagedRow) -> RejectedRow:
    problems = models.Problem.objects.filter(update=row.update, line=row.line).order_by("pk")
    said = tuple(to_problem(problem) for problem in problems)
    return RejectedRow(row.update.number, row.line, row.update.received_at, said)


def _change_view(change: Change) -> ChangeView:
    added = change.field == STUDENT_ADDED
    return ChangeView(
        at=change.changed_at,
        label="Student" if added else label(change.field),
        old=shown(change.field, change.old),
        new=shown(change.field, change.new),
        sensitive=change.field in SENSITIVE,
        added=added,
        secret=change.field == "PASSWORD",
        update=change.update.number if change.update else None,
        by=change.member.name if change.member else "",
    )
