"""What looks wrong with a file as a whole, in numbers: a warning, and perhaps a reason to hold."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Self

from rollbook.studentfile.fixes import Fix
from rollbook.studentfile.problems.problem import Problem
from rollbook.updates.planning.feed_measures import FEED_MEASURES
from rollbook.updates.planning.limits import Limit, Reason
from rollbook.updates.planning.measures import Measured


@dataclass(frozen=True, slots=True)
class Threshold:
    """From which share on something is unusual.

    Attributes:
        warns: The share in percent from which on it is reported.
        holds: The share in percent from which on an update is held.
        count: The smallest number that is reported.
    """

    warns: int
    holds: int
    count: int = 0

    def is_reached(self, count: int, of: int) -> bool:
        """Return whether it is to be reported."""
        return count >= max(self.count, 1) and 100 * count >= self.warns * of

    def is_held(self, count: int, of: int) -> bool:
        """Return whether the update is to be held."""
        return self.is_reached(count, of) and 100 * count >= self.holds * of


THRESHOLDS: Mapping[str, Threshold] = {
    "shape_changed": Threshold(15, 25),
    "columns_shifted": Threshold(0, 0, 3),
    "ids_changed_form": Threshold(10, 25, 5),
    "dates_day_first": Threshold(25, 50, 5),
    "fewer_rows": Threshold(15, 25, 20),
    "more_rows": Threshold(20, 33, 20),
    "other_students": Threshold(25, 50, 20),
    "goes_back": Threshold(25, 50, 10),
    "earlier_file": Threshold(100, 100, 1),
}
"""For each code. How nights scored by which they were chosen: decision 51."""

_STORED = ("code", "count", "of", "column", "holds")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that looks wrong with a file.

    Attributes:
        code: The code of the problem, and the name of the measure.
        count: How many rows, values or changes look wrong.
        of: Of how many.
        column: The column, if it is about one.
        holds: Whether the update is held for it.
        hint: What was found, as a sentence without its period.
        fixes: The steps that make the whole file right, in order; empty: none is known.
        columns: If changes of all of these are expected, it is no reason to hold the update.
    """

    code: str
    count: int
    of: int
    column: str = ""
    holds: bool = False
    hint: str = ""
    fixes: tuple[Fix, ...] = ()
    columns: frozenset[str] = frozenset()

    @property
    def problem(self) -> Problem:
        """The finding as a problem of the file."""
        return Problem(self.code, None, self.column or None, hint=self.hint)

    def reason(self) -> Reason:
        """Return the finding as a reason to hold an update."""
        threshold = THRESHOLDS[self.code]
        measured = Measured(self.count, self.of, self.column)
        limit = Limit(threshold.holds, max(threshold.count - 1, 0))
        return Reason(FEED_MEASURES[self.code].name, measured, limit)

    def is_expected(self, expected: Collection[str]) -> bool:
        """Return whether changes are expected that explain it."""
        return bool(self.columns) and self.columns <= set(expected)

    def as_json(self) -> dict[str, Any]:
        """Return the finding as it is stored with an update; the hint is stored as a problem."""
        figures = {name: getattr(self, name) for name in _STORED}
        return figures | {"fixes": [fix.as_json() for fix in self.fixes]}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """Return the finding for which ``as_json`` returned this, without its hint."""
        figures = {name: stored[name] for name in _STORED}
        return cls(**figures, fixes=tuple(map(Fix.from_json, stored["fixes"])))
