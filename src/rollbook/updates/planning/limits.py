"""Decide whether an update would do more than the limits of its district allow.

A limit has a share and a smallest number, and both must be exceeded: half of eleven students
is nothing unusual, and neither are thirty students of a large district.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Self

from rollbook.text import printable
from rollbook.updates.planning.measures import MEASURES, Measured
from rollbook.updates.planning.summary import Counts, Summary

MAX_PERCENT = 100
MAX_COUNT = 10_000_000
MIN_REJECTED_ROWS = 20
"""Rejected rows of a school from which on all its rows are counted, so no limit can be smaller."""

SCOPES = ("district", "school")


class InvalidLimits(ValueError):
    """A limits document can't be used; the text says why and how to fix it."""


@dataclass(frozen=True, slots=True)
class Limit:
    """How much is usual.

    Attributes:
        percent: The largest share in percent.
        count: The largest number that is usual whatever its share is.
    """

    percent: int
    count: int

    def is_exceeded(self, measured: Measured) -> bool:
        """Return whether both the share and the number are exceeded."""
        return measured.count > self.count and 100 * measured.count > self.percent * measured.of


@dataclass(frozen=True, slots=True)
class Reason:
    """A limit that an update would exceed.

    Attributes:
        measure: The name of the measure.
        measured: The figure.
        limit: The limit.
        school: The SCHOOL_ID of the school; empty: the whole district.
    """

    measure: str
    measured: Measured
    limit: Limit
    school: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return the reason as it is stored with an update."""
        stored = {
            "measure": self.measure,
            "count": self.measured.count,
            "of": self.measured.of,
            "column": self.measured.column,
            "percent": self.limit.percent,
            "limit": self.limit.count,
            "school": self.school,
        }
        return {name: value for name, value in stored.items() if value != ""}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """Return the reason for which ``as_json`` returned this."""
        measured = Measured(stored["count"], stored["of"], stored.get("column", ""))
        limit = Limit(stored["percent"], stored["limit"])
        return cls(stored["measure"], measured, limit, stored.get("school", ""))


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of a district.

    Attributes:
        district: For each measure, the limit for the whole district.
        school: For each measure, the limit for each school.
    """

    district: Mapping[str, Limit]
    school: Mapping[str, Limit]

    def as_json(self) -> dict[str, Any]:
        """Return the limits as a document that ``from_json`` reads."""
        document: dict[str, Any] = {}
        for scope in SCOPES:
            for measure, limit in getattr(self, scope).items():
                pair = {"percent": limit.percent, "count": limit.count}
                document.setdefault(measure, {})[scope] = pair
        return document

    @classmethod
    def from_json(cls, document: object) -> Self:
        """Return the limits of a document; what it leaves out has no limit.

        Args:
            document: For each measure, ``{"district": {"percent": 10, "count": 25}, "school": …}``.

        Raises:
            InvalidLimits: The document has another form, or a number is out of range.
        """
        scopes: dict[str, dict[str, Limit]] = {scope: {} for scope in SCOPES}
        for measure, by_scope in require_object(document, "the limits", MEASURES).items():
            for scope, pair in require_object(by_scope, measure, SCOPES).items():
                scopes[scope][measure] = _limit(pair, f"{measure}.{scope}")
        rejected = scopes["school"].get("rejected")
        if rejected and rejected.count < MIN_REJECTED_ROWS:
            raise InvalidLimits(
                f"rejected.school.count can't be less than {MIN_REJECTED_ROWS}, because the rows "
                "of a school are only counted from there on"
            )
        return cls(**scopes)


def exceeded(summary: Summary, limits: Limits, expected: Collection[str] = ()) -> list[Reason]:
    """Return the limits that an update would exceed, those of the whole district first.

    A district or school without active students has none: its first file adds everybody.

    Args:
        summary: What the update would do.
        limits: The limits.
        expected: Columns that are expected to change for everyone.
    """
    reasons = list(_exceeded(summary.district, limits.district, "", expected))
    if all(reason.measure != "deactivated" for reason in reasons):
        reasons[:0] = _exceeded(summary.district, ALWAYS, "", expected)
    for school, counts in sorted(summary.schools.items()):
        reasons += _exceeded(counts, limits.school, school, expected)
    return reasons


def _exceeded(
    counts: Counts, limits: Mapping[str, Limit], school: str, expected: Collection[str]
) -> Iterator[Reason]:
    if not counts.active:
        return
    for name, measure in MEASURES.items():
        is_expected = measure.columns and measure.columns <= set(expected)
        if (limit := limits.get(name)) and not is_expected:
            for measured in measure.figures(counts):
                if limit.is_exceeded(measured):
                    yield Reason(name, measured, limit, school)


def require_object(value: object, name: str, known: Collection[str]) -> Mapping[str, Any]:
    """Return a JSON object that has only these keys.

    Raises:
        InvalidLimits: It is something else, or has another key.
    """
    if not isinstance(value, dict):
        raise InvalidLimits(f"{name} must be an object in braces")
    for key in value:
        if key not in known:
            near = get_close_matches(key, known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
            raise InvalidLimits(f"there is no '{printable(key, 40)}' in {name}; {hint}")
    return value


def _limit(pair: object, name: str) -> Limit:
    numbers = require_object(pair, name, ("percent", "count"))
    percent = _number(numbers, "percent", name, MAX_PERCENT)
    return Limit(percent, _number(numbers, "count", name, MAX_COUNT))


def _number(numbers: Mapping[str, Any], key: str, name: str, largest: int) -> int:
    value = numbers.get(key)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= largest:
        raise InvalidLimits(f"{name}.{key} must be a whole number from 0 to {largest:,}")
    return value


_DEFAULTS = {
    "deactivated": ((10, 25), (25, 15)),
    "moved_out": ((10, 50), (25, 20)),
    "changed": ((75, 100), (90, 50)),
    "added": ((25, 100), (50, 50)),
    "rejected": ((20, 50), (50, 20)),
    "unknown": ((50, 20), None),
    "dob_changed": ((1, 20), (5, 10)),
    "names_changed": ((1, 20), (5, 10)),
    "student_id_changed": ((1, 20), (5, 10)),
    "username_changed": ((5, 50), (20, 20)),
    "emptied": ((5, 50), (20, 20)),
}

ALWAYS = {"deactivated": Limit(50, 4)}
"""Limits that no district can turn off."""

DEFAULT_LIMITS = Limits(
    {name: Limit(*district) for name, (district, _) in _DEFAULTS.items()},
    {name: Limit(*school) for name, (_, school) in _DEFAULTS.items() if school},
)
"""The limits of a district that has set none."""
