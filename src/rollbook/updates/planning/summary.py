"""What an update would do, in numbers: for the district and for each school, without names."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Counts:
    """What would happen to the students of a district or of one school.

    Attributes:
        active: The active students before the update.
        rows: The rows of the file; of a school, those of its students and those that name it.
        changed: Students of whom a value would change.
        added: Students who would be added.
        moved_in: Students who would come from another school of the district.
        moved_out: Students who would go to another school of the district.
        deactivated: Active students who would become inactive.
        reactivated: Inactive students who would become active.
        rejected: Rejected rows.
        unknown: Rejected rows that match no student.
        renamed: Students whose first and last name would both change.
        expected: Students in whom only columns would change that are expected to.
        columns: For each column, the students in whom it would change.
        emptied: For each column, the students in whom it would lose its value.
    """

    active: int = 0
    rows: int = 0
    changed: int = 0
    added: int = 0
    moved_in: int = 0
    moved_out: int = 0
    deactivated: int = 0
    reactivated: int = 0
    rejected: int = 0
    unknown: int = 0
    renamed: int = 0
    expected: int = 0
    columns: Mapping[str, int] = field(default_factory=dict)
    emptied: Mapping[str, int] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return the counts that aren't zero."""
        named = {each.name: getattr(self, each.name) for each in fields(self)}
        return {name: count for name, count in named.items() if count}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """Return the counts for which ``as_json`` returned this."""
        return cls(**stored)


@dataclass(frozen=True, slots=True)
class Summary:
    """What an update would do.

    Attributes:
        district: To the students of the whole district.
        schools: To the students of each school, by the school's SCHOOL_ID.
    """

    district: Counts
    schools: Mapping[str, Counts] = field(default_factory=dict)

    @property
    def changes_anything(self) -> bool:
        """Whether any student would be changed or added."""
        return bool(self.district.changed or self.district.added)

    def as_json(self) -> dict[str, Any]:
        """Return the summary in the form in which it is stored."""
        schools = {key: counts.as_json() for key, counts in sorted(self.schools.items())}
        return {"district": self.district.as_json(), "schools": schools}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """Return the summary that was stored."""
        schools = {key: Counts.from_json(counts) for key, counts in stored["schools"].items()}
        return cls(Counts.from_json(stored["district"]), schools)
