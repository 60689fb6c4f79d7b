"""A student file's bytes into its header and rows with their line numbers; the front door of this room's reading."""

import csv
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from rollbook.studentfile.limits import MAX_ROW_BYTES, Limits
from rollbook.studentfile.reading.encodings import normalize_encoding_name, utf8_chunks
from rollbook.studentfile.reading.header import Header
from rollbook.studentfile.reading.record_splitter import (
    FilePosition,
    RecordTooLongError,
    is_blank,
    iter_records,
    line_breaks,
    split_records,
)
from rollbook.studentfile.reading.scan import FileScan, scan

__all__ = [
    "FilePosition",
    "FileScan",
    "Header",
    "Limits",
    "RawRow",
    "RecordBatch",
    "RecordTooLongError",
    "RowBatch",
    "iter_records",
    "normalize_encoding_name",
    "parse_rows",
    "read_batches",
    "read_records",
    "scan",
    "split_records",
]

_MAX_BATCH_BYTES = 4_000_000  # bytes of a batch, so that long rows do not fill the memory
_GUARDED_PREFIXES = tuple("'" + letter for letter in "=+-@\t\r'")


class RawRow(NamedTuple):
    """One row: the physical line it begins on, and its cells as they were meant."""

    line: int
    cells: list[str]


@dataclass(frozen=True, slots=True)
class RecordBatch:
    """Some records as UTF-8 with their line ends, the line each begins on, and the place behind the last of them."""

    records: list[bytes]
    lines: list[int]
    end: FilePosition

    def parts(self, size: int) -> "Iterator[RecordBatch]":
        """The same, at most `size` at a time."""
        for first in range(0, len(self.records), size):
            last = first + size
            rest = self.records[last:]
            end = (
                FilePosition(self.end.byte - sum(map(len, rest)), self.lines[last])
                if rest
                else self.end
            )
            yield RecordBatch(self.records[first:last], self.lines[first:last], end)


@dataclass(frozen=True, slots=True)
class RowBatch:
    """Some rows, and the place behind the last of them."""

    rows: list[RawRow]
    end: FilePosition


def read_records(
    path: Path,
    *,
    encoding: str,
    header: Header,
    start: FilePosition | None = None,
    stop: int | None = None,
    size: int = 5000,
) -> Iterator[RecordBatch]:
    """The records of a file that survey() accepted, at most `size` at a time, blank lines among them; not the header.

    `encoding` and `header` are the survey's. `start` is one of its marks or where a batch ended, and so is the byte
    `stop`. For a file that survey() refused, or another one, this raises ValueError, csv.Error or EndlessRecordError.
    """
    first = start or FilePosition()
    chunks = utf8_chunks(path, encoding, first.byte)
    found = iter_records(
        chunks if stop is None else _take_bytes(chunks, stop - first.byte), MAX_ROW_BYTES
    )
    batch = _BatchBuilder(first)
    for some in found if start else _after_header(found, header, batch):
        while some:
            some = batch.add(some, size)
            if len(batch.records) == size or batch.held > _MAX_BATCH_BYTES:
                yield batch.take()
    if batch.records:
        yield batch.take()


def parse_rows(found: Sequence[bytes], lines: Sequence[int], header: Header) -> list[RawRow]:
    """The rows of these records; blank ones are none."""
    secret = next(
        (at for at, column in enumerate(header.columns) if column and column.secret), None
    )
    return [
        RawRow(line, _strip_formula_guard(cells, secret) if b"'" in record else cells)
        for record, line, cells in zip(found, lines, _parse_cells(found), strict=True)
        if not is_blank(cells)
    ]


def read_batches(
    path: Path,
    *,
    encoding: str,
    header: Header,
    start: FilePosition | None = None,
    size: int = 5000,
    only: Collection[int] | None = None,
) -> Iterator[RowBatch]:
    """The rows of such a file, at most `size` at a time. `only` keeps the rows that begin on these lines."""
    wanted = None if only is None else frozenset(only)
    for some in read_records(path, encoding=encoding, header=header, start=start, size=size):
        found, lines = some.records, some.lines
        if wanted is not None:
            kept = [at for at, line in enumerate(lines) if line in wanted]
            found, lines = [found[at] for at in kept], [lines[at] for at in kept]
        rows = parse_rows(found, lines, header)
        if rows:
            yield RowBatch(rows, some.end)


class _BatchBuilder:
    """A batch of records that is being filled."""

    def __init__(self, place: FilePosition) -> None:
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

    def take(self) -> RecordBatch:
        taken = RecordBatch(self.records, self._lines, FilePosition(self._byte, self._line))
        self.records, self._lines, self.held = [], [], 0
        return taken


def _take_bytes(chunks: Iterable[bytes], size: int) -> Iterator[bytes]:
    for chunk in chunks:
        yield chunk[:size]
        size -= len(chunk)
        if size <= 0:
            return


def _after_header(
    found: Iterator[list[bytes]], header: Header, batch: _BatchBuilder
) -> Iterator[list[bytes]]:
    """The records behind the first that is not blank, which must be the header."""
    for some in found:
        for at, cells in enumerate(_parse_cells(some)):
            batch.skip(some[at])
            if not is_blank(cells):
                if tuple(cells) != header.names:
                    raise ValueError("the file does not begin with the header that was surveyed")
                yield some[at + 1 :]
                yield from found
                return


def _parse_cells(found: Sequence[bytes]) -> Iterator[list[str]]:
    """The cells of each record; one record is one row, also for the csv module."""
    return csv.reader([record.decode() for record in found], strict=True)


def _strip_formula_guard(cells: list[str], secret: int | None) -> list[str]:
    """The cells without the mark that writer.py puts before what a spreadsheet would run.

    A password is never written by us: what stands before it was typed.
    """
    return [
        cell[1:] if at != secret and cell.startswith(_GUARDED_PREFIXES) else cell
        for at, cell in enumerate(cells)
    ]
