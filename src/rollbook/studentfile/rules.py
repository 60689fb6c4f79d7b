"""Rules that a district sets and that one file follows: what ambiguous values mean."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Self


class DateOrder(StrEnum):
    """The order of day and month in dates such as 05/06/2013."""

    MONTH_FIRST = "mdy"
    DAY_FIRST = "dmy"
    MIXED = "mixed"
    """The file contains both: dates that could mean two days are rejected."""


@dataclass(frozen=True, slots=True)
class FileRules:
    """What decides the meaning of ambiguous values in one file.

    Attributes:
        date_order: The order of day and month.
        grade_codes: The district's own codes for grades, case-folded, and the grades they mean.
        epoch_is_null: Whether 1970-01-01 means that there is no date of birth.
    """

    date_order: DateOrder = DateOrder.MONTH_FIRST
    grade_codes: Mapping[str, str] = field(default_factory=dict)
    epoch_is_null: bool = False

    def as_json(self) -> dict[str, Any]:
        """Return the rules as JSON, to be stored with the update of the file."""
        return {
            "date_order": self.date_order.value,
            "grade_codes": dict(self.grade_codes),
            "epoch_is_null": self.epoch_is_null,
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """Return the rules for which ``as_json`` returned this object, or the default ones."""
        order = DateOrder(stored.get("date_order", DateOrder.MONTH_FIRST))
        return cls(order, stored.get("grade_codes", {}), stored.get("epoch_is_null", False))
