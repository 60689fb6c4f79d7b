"""Lots: rows of a file that follow each other, and which of them the last file has, too.

A lot is *plain* if a scan only counts its rows: each is one line with the right number of cells,
and nothing about it is worth a problem. So text that equals a plain lot of the last file need not
be scanned again, if the header and the rules are the same. A picture is in
docs/decisions/0080-text-of-the-last-file.md.
"""

from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import accumulate
from typing import NamedTuple, Protocol

from rollbook.studentfile.reading.header import Header
from rollbook.studentfile.reading.record_splitter import FilePosition

NEW = -1
"""The source of plain rows that the last file doesn't have in the same place."""

NOT_PLAIN = -2
"""The source of rows that are always scanned."""

MAX_BYTES = 1 << 16
"""A lot isn't extended beyond so many bytes, since it is read as a whole."""

MAX_RECORDS = 1000
"""Likewise, of a lot that isn't equal to text of the last file."""


class EqualText(NamedTuple):
    """Rows that are equal in both files.

    Attributes:
        source: The number of the first one's record in the last file, counted from 0.
        size: Their bytes.
        records: How many they are; each is one line.
    """

    source: int
    size: int
    records: int


class TextLost(Exception):
    """The text of the last file can't be read any longer."""


@dataclass(slots=True)
class Lots:
    """All rows of a file below its header, without footers, as lots that follow each other.

    Attributes:
        start: Where the first one begins.
        sizes: The bytes of each lot.
        records: Its records; blank lines are records, too.
        lines: Its physical lines.
        sources: The number of its first record in the last file, ``NEW`` or ``NOT_PLAIN``.
        line_end: The line end of all records.
        open_orders: The orders of day and month that no date of the file proves.
    """

    start: FilePosition = field(default_factory=FilePosition)
    sizes: "array[int]" = field(default_factory=lambda: array("I"))
    records: "array[int]" = field(default_factory=lambda: array("I"))
    lines: "array[int]" = field(default_factory=lambda: array("I"))
    sources: "array[int]" = field(default_factory=lambda: array("i"))
    line_end: bytes = b""
    open_orders: frozenset[str] = frozenset()
    _is_open: bool = field(default=False, compare=False)

    def __len__(self) -> int:
        return len(self.sources)

    def add(self, size: int, records: int, lines: int, *, is_plain: bool) -> None:
        """Add rows that were scanned, and that follow those of the last lot.

        Args:
            size: Their bytes.
            records: How many they are.
            lines: Their physical lines.
            is_plain: Whether the scan only counted them.
        """
        source = NEW if is_plain else NOT_PLAIN
        joins = self._is_open and self.sources[-1] == source
        if joins and self.records[-1] + records <= MAX_RECORDS:
            self._add(source, size, records, lines)
        else:
            self._begin(source, size, records, lines)

    def add_equal(self, text: EqualText) -> None:
        """Add rows that the last file has, too."""
        source, size, records = text
        if self._is_open and 0 <= self.sources[-1] == source - self.records[-1]:
            self._add(source, size, records, records)
        else:
            self._begin(source, size, records, records)

    def end_lot(self) -> None:
        """Let a new lot begin with the next rows."""
        self._is_open = False

    def _add(self, source: int, size: int, records: int, lines: int) -> None:
        if self.sizes[-1] + size > MAX_BYTES:
            self._begin(source, size, records, lines)
        else:
            self.sizes[-1] += size
            self.records[-1] += records
            self.lines[-1] += lines

    def _begin(self, source: int, size: int, records: int, lines: int) -> None:
        self.sources.append(source)
        self.sizes.append(size)
        self.records.append(records)
        self.lines.append(lines)
        self._is_open = True

    def bytes_of(self, rows: int) -> int:
        """Return how many bytes so many rows have on the average, at least."""
        return rows * sum(self.sizes) // max(1, sum(self.records))

    def first_bytes(self) -> Iterator[int]:
        """Return the byte at which each lot begins, and the one after the last lot."""
        return accumulate(self.sizes, initial=self.start.byte)

    def first_lines(self) -> Iterator[int]:
        """Return the line on which each lot begins, and the one after the last lot."""
        return accumulate(self.lines, initial=self.start.line)

    def first_records(self) -> Iterator[int]:
        """Return the number of the record with which each lot begins, and that of all records."""
        return accumulate(self.records, initial=0)


@dataclass(frozen=True, slots=True)
class LastText:
    """The text of the last file, which has the same header.

    Attributes:
        lots: Its lots.
        chunks_from: Yields its text in UTF-8 from a byte on, or raises TextLost.
        is_unchanged: Whether the new file has the same bytes, and the last one was accepted as
            UTF-8.
    """

    lots: Lots
    chunks_from: Callable[[int], Iterator[bytes]]
    is_unchanged: bool = False


class TextMemory(Protocol):
    """Knows the text of the last file."""

    def of_header(self, header: Header) -> LastText | None:
        """Return the text of the last file if it has this header."""
