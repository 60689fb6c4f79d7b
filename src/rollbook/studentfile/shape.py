"""The shape of a student file: how the values of each column look, without any value.

A file that a SIS or a spreadsheet has damaged looks different in the same columns for everyone:
zeros are lost, a column is empty or has the values of its neighbor. A shape has, for each column,
how many cells are blank, how long the others are, and their *masks*: 9 for each digit, A or a for
each letter, ä for what isn't ASCII. The masks of few cells are counted together, so that a shape
says nothing about one student.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from string import ascii_lowercase, ascii_uppercase, digits
from typing import Any, Self

from rollbook.studentfile.reading.header import Header

MAX_RECORDS = 5000
"""Records of a file that are looked at."""

MAX_MASK_LENGTH = 24
MAX_MASKS = 25
"""Masks of a column that are kept, the most frequent ones."""

MIN_CELLS = 5
"""Cells that have a mask, at least, for it to be kept."""

MAX_LENGTH = 40
"""Longer values count as this long."""

_OTHER = ""
_BLANK = None
_SEPARATOR = "\0"
_FIRST_BYTES, _LATER_BYTES = bytes(range(0xC0, 0x100)), bytes(range(0x80, 0xC0))
"""Of characters that aren't ASCII, in UTF-8."""

_CLASSES = bytes.maketrans(
    f"{digits}{ascii_lowercase}{ascii_uppercase}".encode() + _FIRST_BYTES,
    b"9" * 10 + b"a" * 26 + b"A" * 26 + "ä".encode("latin-1") * len(_FIRST_BYTES),
)
_NOT_ASCII = re.compile(r"[^\x20-\x7e]")
_LONG_RUN = re.compile(r"([aAä])\1+|([^9aAä])\2{2,}|(9)9{12,}")


def _classes_of(values: Sequence[str]) -> list[str]:
    """Return the class of each character of each value.

    All values are translated together, which takes a quarter of the time.
    """
    if not values:
        return []
    text = _SEPARATOR.join(values)
    if text.count(_SEPARATOR) >= len(values):
        return _classes_of([value.replace(_SEPARATOR, "\t") for value in values])
    encoded = text.encode("utf-8", "surrogatepass").translate(_CLASSES, _LATER_BYTES)
    return encoded.decode("latin-1").split(_SEPARATOR)


def _collapse(classes: str) -> str:
    """Return the mask of a value, given its classes; of a very long one, of the first ones.

    The mask of ``05/13/2014`` is ``99/99/9999``, and that of ``Brook`` is ``Aa+``. A run of letters
    is collapsed, but a run of digits only if it is very long, because its length matters.
    """
    first = _NOT_ASCII.sub("ä", classes[: 4 * MAX_MASK_LENGTH])
    return _LONG_RUN.sub(r"\1\2\3+", first)[:MAX_MASK_LENGTH]


@dataclass(frozen=True, slots=True)
class ColumnShape:
    """How the cells of one column look.

    Attributes:
        blank: How many are blank.
        masks: How many have each mask; the rest have others.
        lengths: How many have each length.
    """

    blank: int = 0
    masks: Mapping[str, int] = field(default_factory=dict)
    lengths: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Shape:
    """How the columns of a file look.

    Attributes:
        records: How many records were looked at.
        columns: The shape of each column that is recognized, by its name.
    """

    records: int = 0
    columns: Mapping[str, ColumnShape] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return the shape as it is stored with its file."""
        columns = {
            name: {
                "blank": column.blank,
                "masks": dict(column.masks),
                "lengths": {str(length): count for length, count in column.lengths.items()},
            }
            for name, column in self.columns.items()
        }
        return {"records": self.records, "columns": columns}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """Return the shape for which ``as_json`` returned this."""
        columns = {}
        for name, column in stored["columns"].items():
            lengths = {int(length): count for length, count in column["lengths"].items()}
            columns[name] = ColumnShape(column["blank"], column["masks"], lengths)
        return cls(stored["records"], columns)


def shape_of(header: Header, rows: Sequence[Sequence[str]]) -> Shape:
    """Return the shape of a file.

    Args:
        header: The file's header.
        rows: The cells of at most ``MAX_RECORDS`` rows, from the whole file.
    """
    empty = [""] * len(rows)
    cells_of_columns = zip_longest(zip_longest(*rows, fillvalue=""), header.columns, fillvalue=None)
    columns = {}
    for cells, column in cells_of_columns:
        if column:
            texts = list(map(str.strip, cells or empty))
            columns[column.name] = _column_shape(texts, is_secret=column.secret)
    return Shape(len(rows), columns)


def _column_shape(cells: Sequence[str], *, is_secret: bool) -> ColumnShape:
    """Return the shape of a column; of passwords only how many there are."""
    if is_secret:
        return ColumnShape(cells.count(""))
    masks, lengths, alike = Counter[str](), Counter[int](), Counter(_classes_of(cells))
    blank = alike.pop("", 0)
    for classes, count in alike.items():
        masks[_collapse(classes)] += count
        lengths[min(len(classes), MAX_LENGTH)] += count
    kept = {mask: count for mask, count in masks.most_common(MAX_MASKS) if count >= MIN_CELLS}
    return ColumnShape(blank, kept, dict(sorted(lengths.items())))


def distance(one: Shape, other: Shape) -> dict[str, float]:
    """Return how different each column looks that both have, from 0 to 1.

    That is the total variation: the share of cells that would have to be replaced for one to look
    like the other.
    """
    common = [name for name in one.columns if name in other.columns]
    return {name: column_distance(one, name, other, name) for name in common}


def column_distance(one: Shape, name: str, other: Shape, other_name: str) -> float:
    """Return how different a column of one shape looks from one of another, from 0 to 1."""
    here, there = one.columns[name], other.columns[other_name]
    masks = _variation(_shares(one, here, here.masks), _shares(other, there, there.masks))
    lengths = _variation(_shares(one, here, here.lengths), _shares(other, there, there.lengths))
    return max(masks, lengths)


def _shares(shape: Shape, column: ColumnShape, counts: Mapping[Any, int]) -> dict[Any, float]:
    """Return the share of each mask or length, of blank cells, and of all others."""
    total = max(shape.records, 1)
    shares = {key: count / total for key, count in counts.items()}
    shares[_BLANK] = column.blank / total
    shares[_OTHER] = 1 - sum(shares.values())
    return shares


def _variation(one: Mapping[Any, float], other: Mapping[Any, float]) -> float:
    keys: Iterable[Any] = one.keys() | other.keys()
    return sum(abs(one.get(key, 0.0) - other.get(key, 0.0)) for key in keys) / 2
