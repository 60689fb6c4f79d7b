"""Decide what of an update's changes can be set back in one student: a pure function over values.

A field goes back to its old value only if it still has the new one. A student who was added is
deactivated, unless anything has changed since. The school, the groups and the staff of a student
belong together: a student goes back to the old school with all of them, or not at all.
"""

from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from rollbook.studentfile.values.free_text import join_list, split_list
from rollbook.students.models import DEFAULT_GROUP
from rollbook.students.writer import COLUMN_ORDER, STUDENT_ADDED

_LISTS = frozenset({"GROUPS", "STAFF", "CLASSIFICATIONS"})
_LINKS = ("GROUPS", "STAFF")
_ACTIVE, _INACTIVE = "active", "inactive"


class Obstacle(StrEnum):
    """Why a field can't be set back; the values are parts of problem codes."""

    CHANGED = "changed"
    PASSWORD = "password"  # noqa: S105 - a column
    GONE = "gone"


class PastChange(NamedTuple):
    """What an update did to one field."""

    old: str
    new: str


class LeftField(NamedTuple):
    """A field that stays as it is.

    Attributes:
        column: The column.
        obstacle: Why it can't be set back.
        cause: What changed it since, such as ``in update 12``; empty: nothing that is known.
    """

    column: str
    obstacle: Obstacle
    cause: str = ""


@dataclass(frozen=True, slots=True)
class Places:
    """What old values may refer to.

    Attributes:
        schools: The SCHOOL_IDs of the district now.
        works_at: Returns whether a staff member's email is known and works at a school.
    """

    schools: Container[str]
    works_at: Callable[[str, str], bool]


@dataclass(slots=True)
class Reversal:
    """What setting back an update does to one student.

    Attributes:
        new: Column to the value that it gets back.
        left: The fields that stay as they are.
    """

    new: dict[str, str] = field(default_factory=dict)
    left: list[LeftField] = field(default_factory=list)


def plan_reversal(
    changes: Mapping[str, PastChange],
    current: Mapping[str, str],
    later: Mapping[str, str],
    places: Places,
) -> Reversal:
    """Return how the changes of an update are set back.

    Args:
        changes: What the update did, by column; ``STUDENT_ADDED`` if it added the student.
        current: The student's values now, with GROUPS and STAFF.
        later: For each column that anything else has changed since, what changed it last.
        places: What old values may refer to.
    """
    reversal = Reversal()
    if STUDENT_ADDED in changes:
        _deactivate(reversal, current, later)
        return reversal
    for column in sorted(changes, key=COLUMN_ORDER.__getitem__):
        _set_back(reversal, column, changes[column], current, later)
    _keep_links_with_school(reversal, changes, current, later)
    _check_places(reversal, current, places)
    return reversal


def _deactivate(reversal: Reversal, current: Mapping[str, str], later: Mapping[str, str]) -> None:
    """Deactivate a student who was added; one who has changed since stays."""
    if current["STATUS"] == _INACTIVE:
        return
    if later:
        column, cause = list(later.items())[-1]
        reversal.left.append(LeftField(column, Obstacle.CHANGED, cause))
    else:
        reversal.new["STATUS"] = _INACTIVE


def _set_back(
    reversal: Reversal,
    column: str,
    change: PastChange,
    current: Mapping[str, str],
    later: Mapping[str, str],
) -> None:
    """Set one column back, or leave it; one that has its old value again needs nothing."""
    if column == "PASSWORD":
        reversal.left.append(LeftField(column, Obstacle.PASSWORD))
    elif _is_same(column, current[column], change.old):
        return
    elif _is_same(column, current[column], change.new):
        reversal.new[column] = change.old
    else:
        reversal.left.append(LeftField(column, Obstacle.CHANGED, later.get(column, "")))


def _is_same(column: str, value: str, other: str) -> bool:
    """Return whether a column has a value; the history has lists in the order of their file."""
    if column in _LISTS:
        return sorted(split_list(value.casefold())) == sorted(split_list(other.casefold()))
    return value == other


def _keep_links_with_school(
    reversal: Reversal,
    changes: Mapping[str, PastChange],
    current: Mapping[str, str],
    later: Mapping[str, str],
) -> None:
    """Set back school, groups and staff together, or none of them.

    A transfer has no entry of its own for groups that have the same name at both schools.
    """
    goes_back = "SCHOOL_ID" in reversal.new
    if not goes_back and ("SCHOOL_ID" in later or "SCHOOL_ID" in changes):
        cause = later.get("SCHOOL_ID", "")
        _leave(reversal, _LINKS, cause)
        return
    if not goes_back:
        return
    for column in _LINKS:
        change = changes.get(column)
        if change is None and column not in later:
            reversal.new.setdefault(column, current[column])
        elif change and (column in reversal.new or _is_same(column, current[column], change.old)):
            reversal.new[column] = change.old
        else:
            _leave(reversal, ("SCHOOL_ID", *_LINKS), later.get(column, ""))
            return
    reversal.new["GROUPS"] = reversal.new["GROUPS"] or DEFAULT_GROUP


def _leave(reversal: Reversal, columns: tuple[str, ...], cause: str) -> None:
    """Leave columns that would have been set back."""
    for column in columns:
        if reversal.new.pop(column, None) is not None:
            reversal.left.append(LeftField(column, Obstacle.CHANGED, cause))


def _check_places(reversal: Reversal, current: Mapping[str, str], places: Places) -> None:
    """Leave a school that is closed, and staff who don't work at the student's school now."""
    school = reversal.new.get("SCHOOL_ID", current["SCHOOL_ID"])
    if school not in places.schools:
        for column in ("SCHOOL_ID", *_LINKS):
            if reversal.new.pop(column, None) is not None and column == "SCHOOL_ID":
                reversal.left.append(LeftField(column, Obstacle.GONE))
        return
    staff = split_list(reversal.new.get("STAFF", ""))
    here = [email for email in staff if places.works_at(email, school)]
    if len(here) == len(staff):
        return
    reversal.left.append(LeftField("STAFF", Obstacle.GONE))
    reversal.new["STAFF"] = join_list(here)
    if "SCHOOL_ID" not in reversal.new and _is_same("STAFF", current["STAFF"], join_list(here)):
        del reversal.new["STAFF"]
