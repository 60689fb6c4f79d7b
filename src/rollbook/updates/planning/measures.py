"""What is measured of an update: how many students or rows of how many."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from rollbook.updates.planning.summary import Counts

ADDED_STUDENTS = "STUDENT_ADDED"
"""Stands for new students in a list of columns that are expected to change."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One figure of an update.

    Attributes:
        count: How many.
        of: Of how many.
        column: The column, if each is measured for itself.
    """

    count: int
    of: int
    column: str = ""


@dataclass(frozen=True, slots=True)
class Measure:
    """A measure that has limits.

    Attributes:
        name: Its name in a limits document.
        text: What would happen, after a number of students or rows.
        of: What it is a share of: ``active`` students or ``rows``.
        figures: Returns the figures.
        columns: If changes of all of these are expected, the measure has no limit.
    """

    name: str
    text: str
    of: str
    figures: Callable[[Counts], Iterator[Measured]]
    columns: frozenset[str] = frozenset()


def _of_active(
    name: str, text: str, count: Callable[[Counts], int], columns: Iterable[str] = ()
) -> Measure:
    def figures(counts: Counts) -> Iterator[Measured]:
        yield Measured(count(counts), counts.active)

    return Measure(name, text, "active", figures, frozenset(columns))


def _of_rows(name: str, text: str, count: Callable[[Counts], int]) -> Measure:
    return Measure(name, text, "rows", lambda counts: iter([Measured(count(counts), counts.rows)]))


def _column(name: str) -> Callable[[Counts], int]:
    return lambda counts: counts.columns.get(name, 0)


def _emptied(counts: Counts) -> Iterator[Measured]:
    for column, count in sorted(counts.emptied.items()):
        yield Measured(count, counts.active, column)


_MEASURES = (
    _of_active(
        "deactivated", "would be deactivated", lambda counts: counts.deactivated, ["STATUS"]
    ),
    _of_active("moved_out", "would change school", lambda counts: counts.moved_out, ["SCHOOL_ID"]),
    _of_active("changed", "would change", lambda counts: counts.changed - counts.expected),
    _of_active("added", "would be added", lambda counts: counts.added, [ADDED_STUDENTS]),
    _of_rows("rejected", "are rejected", lambda counts: counts.rejected),
    _of_rows("unknown", "match no student", lambda counts: counts.unknown),
    _of_active("dob_changed", "would get another DOB", _column("DOB"), ["DOB"]),
    _of_active(
        "names_changed",
        "would get another FIRST_NAME and LAST_NAME",
        lambda counts: counts.renamed,
        ["FIRST_NAME", "LAST_NAME"],
    ),
    _of_active(
        "student_id_changed", "would get another STUDENT_ID", _column("STUDENT_ID"), ["STUDENT_ID"]
    ),
    _of_active("username_changed", "would get another USERNAME", _column("USERNAME"), ["USERNAME"]),
    Measure("emptied", "would lose their {column}", "active", _emptied),
)

MEASURES: Mapping[str, Measure] = {measure.name: measure for measure in _MEASURES}
"""All measures by name, in the order in which they are shown."""
