"""The steps of a mapping: each changes one text, in time linear in its length."""

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cached_property
from typing import Any, ClassVar

_WORD = re.compile(r"[^\W\d_]+")
_DATE = re.compile(r"(\d{1,4})([./ -])(\d{1,2})\2(\d{1,4})")
_DIGITS = re.compile(r"\d{8}")
_YEAR_DIGITS = 4


class Case(StrEnum):
    """Upper case, lower case or title case."""

    UPPER = "upper"
    LOWER = "lower"
    TITLE = "title"


class Order(StrEnum):
    """The order of year, month and day."""

    MONTH_FIRST = "mdy"
    DAY_FIRST = "dmy"
    YEAR_FIRST = "ymd"


@dataclass(frozen=True)
class Step(ABC):
    """One step."""

    NAME: ClassVar[str]

    @abstractmethod
    def apply(self, text: str) -> str:
        """Return what the text becomes."""

    @abstractmethod
    def options(self) -> dict[str, Any]:
        """Return the options of the step, as in the document."""

    @abstractmethod
    def __str__(self) -> str:
        """Return the step in words."""

    def as_json(self) -> dict[str, Any]:
        """Return the step as in the document."""
        return {"step": self.NAME, **self.options()}


@dataclass(frozen=True)
class Trim(Step):
    """Remove blanks from both ends."""

    NAME = "trim"

    def apply(self, text: str) -> str:
        """Return the text without blanks at its ends."""
        return text.strip()

    def options(self) -> dict[str, Any]:
        """Return no options."""
        return {}

    def __str__(self) -> str:
        return "trim"


@dataclass(frozen=True)
class ChangeCase(Step):
    """Change the case of all letters."""

    NAME = "case"
    to: Case

    def apply(self, text: str) -> str:
        """Return the text in that case."""
        if self.to is Case.UPPER:
            return text.upper()
        if self.to is Case.LOWER:
            return text.lower()
        return _WORD.sub(lambda word: word[0].capitalize(), text)

    def options(self) -> dict[str, Any]:
        """Return the case."""
        return {"to": self.to.value}

    def __str__(self) -> str:
        return f"in {self.to} case"


@dataclass(frozen=True)
class Pad(Step):
    """Lengthen a value that isn't blank at its beginning."""

    NAME = "pad"
    width: int
    fill: str = "0"

    def apply(self, text: str) -> str:
        """Return the value with at least ``width`` characters."""
        value = text.strip()
        return value.rjust(self.width, self.fill) if value else text

    def options(self) -> dict[str, Any]:
        """Return width and character."""
        return {"width": self.width, "with": self.fill}

    def __str__(self) -> str:
        return f"pad to {self.width} with {self.fill}"


@dataclass(frozen=True)
class Strip(Step):
    """Remove a text at the beginning or at the end, once."""

    NAME = "strip"
    prefix: str = ""
    suffix: str = ""

    def apply(self, text: str) -> str:
        """Return the value without them."""
        return text.strip().removeprefix(self.prefix).removesuffix(self.suffix)

    def options(self) -> dict[str, Any]:
        """Return what is removed."""
        pairs = (("prefix", self.prefix), ("suffix", self.suffix))
        return {key: value for key, value in pairs if value}

    def __str__(self) -> str:
        return " and ".join(f"without {key} {value}" for key, value in self.options().items())


@dataclass(frozen=True)
class Replace(Step):
    """Replace a text wherever it is."""

    NAME = "replace"
    text: str
    by: str

    def apply(self, text: str) -> str:
        """Return the value with the other text."""
        return text.replace(self.text, self.by)

    def options(self) -> dict[str, Any]:
        """Return both texts."""
        return {"text": self.text, "by": self.by}

    def __str__(self) -> str:
        return f"replace “{self.text}” by “{self.by}”"


@dataclass(frozen=True)
class Split(Step):
    """Split at a text and take one part; of a value without that part, nothing."""

    NAME = "split"
    at: str
    take: int

    def apply(self, text: str) -> str:
        """Return the part; 1 is the first, -1 the last."""
        parts = text.split(self.at)
        index = self.take - 1 if self.take > 0 else len(parts) + self.take
        return parts[index].strip() if 0 <= index < len(parts) else ""

    def options(self) -> dict[str, Any]:
        """Return the text and the number of the part."""
        return {"at": self.at, "take": self.take}

    def __str__(self) -> str:
        return f"split at “{self.at}” and take part {self.take}"


@dataclass(frozen=True)
class Join(Step):
    """Join the values of several file columns, without blank ones."""

    NAME = "join"
    separator: str

    def apply(self, text: str) -> str:
        """Return the text: what was joined is one."""
        return text

    def join(self, texts: Sequence[str]) -> str:
        """Return the values that aren't blank as one."""
        return self.separator.join(filter(None, map(str.strip, texts)))

    def options(self) -> dict[str, Any]:
        """Return what is written between the values."""
        return {"with": self.separator}

    def __str__(self) -> str:
        return f"joined with “{self.separator}”"


class Otherwise(StrEnum):
    """What becomes of a value that a table doesn't contain."""

    KEEP = "keep"
    BLANK = "blank"


@dataclass(frozen=True)
class Translate(Step):
    """Look up a value in a table, in any case; a blank one remains blank.

    Attributes:
        table: The values and what they become.
        otherwise: What becomes of other values; a text in a tuple is their value.
    """

    NAME = "translate"
    table: tuple[tuple[str, str], ...]
    otherwise: Otherwise | tuple[str]

    @cached_property
    def _by_key(self) -> Mapping[str, str]:
        return {key.strip().casefold(): value for key, value in self.table}

    def apply(self, text: str) -> str:
        """Return the value in the table."""
        value = text.strip()
        if not value:
            return text
        found = self._by_key.get(value.casefold())
        if found is not None:
            return found
        if isinstance(self.otherwise, tuple):
            return self.otherwise[0]
        return text if self.otherwise is Otherwise.KEEP else ""

    def options(self) -> dict[str, Any]:
        """Return the table and what becomes of other values."""
        otherwise: object = self.otherwise
        if isinstance(self.otherwise, tuple):
            otherwise = {"value": self.otherwise[0]}
        return {"table": dict(self.table), "otherwise": otherwise}

    def __str__(self) -> str:
        pairs = ", ".join(f"{old} → {new or 'blank'}" for old, new in self.table[:3])
        more = ", …" if len(self.table) > 3 else ""
        return f"translate {pairs}{more}"


@dataclass(frozen=True)
class ReadDate(Step):
    """Read a date of digits in a certain order, and write it as yyyy-mm-dd.

    A value that isn't such a date with a year of four digits remains as it is.
    """

    NAME = "date"
    order: Order

    def apply(self, text: str) -> str:
        """Return the date, or the text."""
        value = text.strip()
        if _DIGITS.fullmatch(value):
            year_at = 0 if self.order is Order.YEAR_FIRST else 4
            others = value[4:] if not year_at else value[:4]
            return self._date(value[year_at : year_at + 4], others[:2], others[2:]) or text
        found = _DATE.fullmatch(value)
        if not found:
            return text
        first, _, second, third = found.groups()
        if self.order is Order.YEAR_FIRST:
            return self._date(first, second, third) or text
        return self._date(third, first, second) or text

    def _date(self, year: str, first: str, second: str) -> str:
        """Return the date; "" if there is none."""
        month, day = (second, first) if self.order is Order.DAY_FIRST else (first, second)
        if len(year) != _YEAR_DIGITS:
            return ""
        try:
            return date(int(year), int(month), int(day)).isoformat()
        except ValueError:
            return ""

    def options(self) -> dict[str, Any]:
        """Return the order."""
        return {"order": self.order.value}

    def __str__(self) -> str:
        return f"read dates as {self.order}"


@dataclass(frozen=True)
class BlankWhen(Step):
    """Make certain values blank, in any case."""

    NAME = "blank"
    when: tuple[str, ...]

    @cached_property
    def _keys(self) -> frozenset[str]:
        return frozenset(value.strip().casefold() for value in self.when)

    def apply(self, text: str) -> str:
        """Return "" for one of these values."""
        return "" if text.strip().casefold() in self._keys else text

    def options(self) -> dict[str, Any]:
        """Return the values."""
        return {"when": list(self.when)}

    def __str__(self) -> str:
        return f"blank when {' or '.join(self.when)}"


@dataclass(frozen=True)
class Constant(Step):
    """Give every row the same value, without a file column."""

    NAME = "constant"
    value: str

    def apply(self, text: str) -> str:
        """Return the value, whatever the text is."""
        del text
        return self.value

    def options(self) -> dict[str, Any]:
        """Return the value."""
        return {"value": self.value}

    def __str__(self) -> str:
        return f"always {self.value}"
