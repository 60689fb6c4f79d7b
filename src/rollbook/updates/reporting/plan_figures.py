"""The figures of a plan: what each counts, for the district or one school, and its rows."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Self

from django.db.models import Q, Value
from django.db.models.functions import Concat

from rollbook.studentfile.columns import BY_NAME
from rollbook.updates.models import StagedRow, UpdateJob
from rollbook.updates.planning.summary import Counts, Summary
from rollbook.updates.row_outcomes import StagedRowQuerySet
from rollbook.updates.state_machine import PLAN_WAITING, Outcome

_CHANGES = Q(outcome=None, student__isnull=False)
_ADDS = Q(outcome=None, student=None)
_REJECTED = Q(outcome=Outcome.REJECTED)


def _here(school: str) -> Q:
    return Q(school=school)


def _there(school: str) -> Q:
    return Q(to_school=school)


def _either(school: str) -> Q:
    return Q(school=school) | Q(to_school=school)


def _here_or_named(school: str) -> Q:
    return Q(school=school) | Q(school=None, to_school=school)


def _names(column: str, *signs: str) -> Q:
    """Return the condition that the names of the changed columns have this one."""
    condition = Q()
    for sign in signs:
        condition |= Q(named__contains=f",{column}{sign},")
    return condition


@dataclass(frozen=True)
class Measured:
    """How the rows of a figure are found.

    Attributes:
        label: What happens to the students, as the heading of a column.
        rows: The condition of the rows.
        of_school: The condition that a row belongs to a school.
    """

    label: str
    rows: Q
    of_school: Callable[[str], Q] = _here


FIGURES: Mapping[str, Measured] = {
    "changed": Measured("Changed", _CHANGES),
    "added": Measured("Added", _ADDS, _either),
    "moved_in": Measured("Moved in", _CHANGES & Q(to_school__isnull=False), _there),
    "moved_out": Measured("Moved out", _CHANGES & Q(to_school__isnull=False)),
    "deactivated": Measured("Deactivated", _CHANGES & _names("STATUS", "-")),
    "reactivated": Measured("Reactivated", _CHANGES & _names("STATUS", "")),
    "rejected": Measured("Rejected", _REJECTED, _here_or_named),
    "unknown": Measured("Unknown", _REJECTED & Q(student=None), _here_or_named),
}
"""The figures by the names that they have in a summary."""


@dataclass(frozen=True)
class Figure:
    """One figure of a plan.

    Attributes:
        name: One of ``FIGURES``, or a column that changes.
        school: The SCHOOL_ID of the school; empty: the whole district.
    """

    name: str
    school: str = ""

    @classmethod
    def of(cls, name: str, school: str) -> Self | None:
        """Return the figure with this name; None if there is none."""
        return cls(name, school) if name in FIGURES or name in BY_NAME else None

    def count_in(self, counts: Counts) -> int:
        """Return the figure of these counts."""
        if self.name in FIGURES:
            count: int = getattr(counts, self.name)
            return count
        return counts.columns.get(self.name, 0)

    def rows(self, update: UpdateJob) -> StagedRowQuerySet:
        """Return the rows that are counted, with their outcomes."""
        measured = FIGURES.get(self.name) or _of_column(self.name)
        of_update = StagedRow.objects.filter(update=update).with_outcome(update)
        rows = of_update.alias(named=Concat(Value(","), "columns", Value(",")))
        if self.school:
            rows = rows.filter(measured.of_school(self.school))
        return rows.filter(measured.rows)

    def count(self, update: UpdateJob) -> int:
        """Return how many rows that are; while the plan waits, that is in its summary."""
        if update.state not in PLAN_WAITING or not update.summary:
            return self.rows(update).count()
        summary = Summary.from_json(update.summary)
        counts = summary.schools.get(self.school, Counts()) if self.school else summary.district
        return self.count_in(counts)


def _of_column(column: str) -> Measured:
    return Measured(column, _CHANGES & _names(column, "", "-"))
