"""Whom a file in full sync doesn't name, in numbers, and why nobody was counted (pure)."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

FEW_NAMED = "absences_few_named"
MANY_REJECTED = "absences_many_rejected"
REPEATED_ROWS = "absences_repeated_rows"
STATUS_PROTECTED = "absences_status_protected"
MIN_NAMED_PERCENT = 50
MAX_REJECTED_PERCENT = 5


@dataclass(frozen=True, slots=True)
class Figures:
    """What an update found out about the students whom its file doesn't name.

    Attributes:
        active: The active students of the district.
        unnamed: Those of them whom the file doesn't name.
        missing: Those of these who are counted as missing.
        due: Those of these who are to be deactivated.
        not_counted: The code of the warning that says why nobody is counted; empty: they are.
        schools: SCHOOL_IDs of schools without a row, whose students aren't counted.
        postponed: Students who are due and aren't deactivated because of a limit.
    """

    active: int
    unnamed: int
    missing: int = 0
    due: int = 0
    not_counted: str = ""
    schools: tuple[str, ...] = ()
    postponed: int = 0

    def as_json(self) -> dict[str, Any]:
        """Return the figures in the form in which they are stored."""
        return {**asdict(self), "schools": list(self.schools)}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """Return the figures for which ``as_json`` returned this."""
        return cls(**{**stored, "schools": tuple(stored["schools"])})


def why_not_counted(
    *, active: int, unnamed: int, rows: int, rejected: int, repeats: bool, is_protected: bool
) -> str:
    """Return the code of the warning that says why nobody is counted as missing; or nothing.

    Args:
        active: The active students of the district.
        unnamed: Those of them whom the file doesn't name.
        rows: The rows of the file.
        rejected: The rejected rows that match no student.
        repeats: Whether the file repeats rows of another one.
        is_protected: Whether the token that sent the file may not change STATUS.
    """
    if repeats:
        return REPEATED_ROWS
    if is_protected:
        return STATUS_PROTECTED
    if 100 * (active - unnamed) < MIN_NAMED_PERCENT * active:
        return FEW_NAMED
    if 100 * rejected > MAX_REJECTED_PERCENT * rows:
        return MANY_REJECTED
    return ""


@dataclass(frozen=True, slots=True)
class Rows:
    """What a file says about a school besides the students whom it names.

    Attributes:
        named: Whether a row that isn't about one of its students names the school, or a rejected
            one.
        leaving: The rows of students who leave it.
    """

    named: bool = False
    leaving: int = 0


def has_rows(present: int, rows: Rows) -> bool:
    """Return whether a file has a row for a school.

    A row of a student who leaves the school names another one.

    Args:
        present: The students of the school whom the file names.
        rows: What else it says about the school.
    """
    return rows.named or present > rows.leaving


def select_missing(
    unnamed: Mapping[str, Sequence[int]],
    present: Mapping[str, int],
    rows: Mapping[str, Rows],
) -> tuple[list[int], tuple[str, ...]]:
    """Return the students who are missing, and the schools without a row.

    Args:
        unnamed: For each school, its active students whom the file doesn't name.
        present: For each school, how many of its students the file names.
        rows: For some schools, what else the file says about them.
    """
    missing: list[int] = []
    without_rows: list[str] = []
    for school, students in sorted(unnamed.items()):
        if has_rows(present.get(school, 0), rows.get(school, Rows())):
            missing += students
        elif students:
            without_rows.append(school)
    return missing, tuple(without_rows)
