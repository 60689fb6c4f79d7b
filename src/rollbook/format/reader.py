"""A student file's bytes into its header and rows with their line numbers; the front door of this room's reading."""

import csv
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from rollbook.format.cutting import EndlessRecordError, Place, cut, is_blank, line_breaks, records
from rollbook.format.encodings import known_encoding, utf8_chunks
from rollbook.format.header import Header
from rollbook.format.limits import LARGEST_ROW, Limits
from rollbook.format.surveying import Survey, survey

__all__ = [
    "Batch",
    "EndlessRecordError",
    "Header",
    "Limits",
    "Place",
    "RawRow",
    "Records",
    "Survey",
    "cut",
    "known_encoding",
    "read_batches",
    "read_records",
    "records",
    "rows_of",
    "survey",
]

_MOST_HELD = 4_000_000  # bytes of a batch, so that long rows do not fill the memory
_MARKED = tuple("'" + letter for letter in "=+-@\t\r'")


class RawRow(NamedTuple):
    """One row: the physical line it begins on, and its cells as they were meant."""

    line: int
    cells: list[str]


@dataclass(frozen=True, slots=True)
class Records:
    """Some records as UTF-8 with their line ends, the line each begins on, and the place behind the last of them."""

    records: list[bytes]
    lines: list[int]
    end: Place

    def parts(self, size: int) -> "Iterator[Records]":
        """The same, at most `size` at a time."""
        for first in range(0, len(self.records), size):
            last = first + size
            rest = self.records[last:]
            end = Place(self.end.byte - sum(map(len, rest)), self.lines[last]) if rest else self.end
            yield Records(self.records[first:last], self.lines[first:last], end)


@dataclass(frozen=True, slots=True)
class Batch:
    """Some rows, and the place behind the last of them."""

    rows: list[RawRow]
    end: Place


def read_records(
    path: Path,
    *,
    encoding: str,
    header: Header,
    start: Place | None = None,
    stop: int | None = None,
    size: int = 5000,
) -> Iterator[Records]:
    """The records of a file that survey() accepted, at most `size` at a time, blank lines among them; not the header.

    `encoding` and `header` are the survey's. `start` is one of its marks or where a batch ended, and so is the byte
    `stop`. For a file that survey() refused, or another one, this raises ValueError, csv.Error or EndlessRecordError.
    """
    first = start or Place()
    chunks = utf8_chunks(path, encoding, first.byte)
    found = records(chunks if stop is None else _up_to(chunks, stop - first.byte), LARGEST_ROW)
    batch = _Growing(first)
    for some in found if start else _behind_header(found, header, batch):
        while some:
            some = batch.add(some, size)
            if len(batch.records) == size or batch.held > _MOST_HELD:
                yield batch.taken()
    if batch.records:
        yield batch.taken()


def rows_of(found: Sequence[bytes], lines: Sequence[int], header: Header) -> list[RawRow]:
    """The rows of these records; blank ones are none."""
    secret = next((at for at, column in enumerate(header.columns) if column and column.secret), None)
    return [
        RawRow(line, _meant(cells, secret) if b"'" in record else cells)
        for record, line, cells in zip(found, lines, _parsed(found), strict=True)
        if not is_blank(cells)
    ]


def read_batches(
    path: Path,
    *,
    encoding: str,
    header: Header,
    start: Place | None = None,
    size: int = 5000,
    only: Collection[int] | None = None,
) -> Iterator[Batch]:
    """The rows of such a file, at most `size` at a time. `only` keeps the rows that begin on these lines."""
    wanted = None if only is None else frozenset(only)
    for some in read_records(path, encoding=encoding, header=header, start=start, size=size):
        found, lines = some.records, some.lines
        if wanted is not None:
            kept = [at for at, line in enumerate(lines) if line in wanted]
            found, lines = [found[at] for at in kept], [lines[at] for at in kept]
        rows = rows_of(found, lines, header)
        if rows:
            yield Batch(rows, some.end)


class _Growing:
    """A batch of records that is being filled."""

    def __init__(self, place: Place) -> None:
        self.records: list[bytes] = []
        self.held = 0
        self._lines: list[int] = []
        self._byte, self._line = place.byte, place.line

    def add(self, records: list[bytes], most: int) -> list[bytes]:
        """Take records until the batch has so many; returns the others."""
        room = most - len(self.records)
        taken = records[:room]
        self.records += taken
        for record in taken:
            self._lines.append(self._line)
            self._line += line_breaks(record) if b'"' in record else 1
        size = sum(map(len, taken))
        self._byte += size
        self.held += size
        return records[room:]

    def skip(self, record: bytes) -> None:
        """It belongs to no batch."""
        self._line += line_breaks(record)
        self._byte += len(record)

    def taken(self) -> Records:
        taken = Records(self.records, self._lines, Place(self._byte, self._line))
        self.records, self._lines, self.held = [], [], 0
        return taken


def _up_to(chunks: Iterable[bytes], size: int) -> Iterator[bytes]:
    for chunk in chunks:
        yield chunk[:size]
        size -= len(chunk)
        if size <= 0:
            return


def _behind_header(found: Iterator[list[bytes]], header: Header, batch: _Growing) -> Iterator[list[bytes]]:
    """The records behind the first that is not blank, which must be the header."""
    for some in found:
        for at, cells in enumerate(_parsed(some)):
            batch.skip(some[at])
            if not is_blank(cells):
                if tuple(cells) != header.names:
                    raise ValueError("the file does not begin with the header that was surveyed")
                yield some[at + 1 :]
                yield from found
                return


def _parsed(found: Sequence[bytes]) -> Iterator[list[str]]:
    """The cells of each record; one record is one row, also for the csv module."""
    return csv.reader([record.decode() for record in found], strict=True)


def _meant(cells: list[str], secret: int | None) -> list[str]:
    """The cells without the mark that writer.py puts before what a spreadsheet would run.

    A password is never written by us: what stands before it was typed.
    """
    return [cell[1:] if at != secret and cell.startswith(_MARKED) else cell for at, cell in enumerate(cells)]
