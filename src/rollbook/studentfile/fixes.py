"""A fix of all values of a column: a step that a person can add to how files are read."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Self


class FixStep(StrEnum):
    """What a fix does to a value."""

    PAD = "pad"
    STRIP_SUFFIX = "strip_suffix"
    STRIP_PREFIX = "strip_prefix"
    CASE = "case"
    DATE_ORDER = "date_order"


@dataclass(frozen=True, slots=True)
class Fix:
    """One step for one column.

    Attributes:
        column: The column.
        step: What it does.
        argument: The width; the suffix or prefix; ``upper`` or ``lower``; ``mdy`` or ``dmy``.
    """

    column: str
    step: FixStep
    argument: str

    def __str__(self) -> str:
        """Return for example ``padded to 8``."""
        return _WORDS[self.step].format(self.argument)

    def apply(self, value: str) -> str:
        """Return the fixed value; the order of dates is a matter of the file, not of a value."""
        if self.step is FixStep.PAD:
            return value.zfill(int(self.argument)) if value.isdigit() else value
        if self.step is FixStep.STRIP_SUFFIX:
            return value.removesuffix(self.argument)
        if self.step is FixStep.STRIP_PREFIX:
            return value.removeprefix(self.argument)
        if self.step is FixStep.CASE:
            return value.upper() if self.argument == "upper" else value.lower()
        return value

    def as_json(self) -> list[str]:
        """Return the fix as it is stored."""
        return [self.column, self.step.value, self.argument]

    @classmethod
    def from_json(cls, stored: list[str]) -> Self:
        """Return the fix for which ``as_json`` returned this."""
        column, step, argument = stored
        return cls(column, FixStep(step), argument)


_WORDS = {
    FixStep.PAD: "padded to {}",
    FixStep.STRIP_SUFFIX: "without {}",
    FixStep.STRIP_PREFIX: "without {}",
    FixStep.CASE: "in {} case",
    FixStep.DATE_ORDER: "in the order {}",
}
