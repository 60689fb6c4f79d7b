"""A student file's bytes into its header and rows with their line numbers; the front door of this room's reading."""

import csv
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from rollbook.format.cutting import EndlessRecordError, cut, is_blank, line_breaks, records
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
    "Survey",
    "cut",
    "known_encoding",
    "read_batches",
    "records",
    "survey",
]

_MOST_HELD = 4_000_000  # characters of a batch, so that long rows do not fill the memory
_MARKED = tuple("'" + letter for letter in "=+-@\t\r'")


class RawRow(NamedTuple):
    """One row: the physical line it begins on, and its cells as they were meant."""

    line: int
    cells: list[str]


@dataclass(frozen=True, slots=True)
class Place:
    """Where the next record begins: its byte in the UTF-8 text behind the byte order mark, and its physical line."""

    byte: int = 0
    line: int = 1


@dataclass(frozen=True, slots=True)
class Batch:
    """Some rows, and the place behind the last of them."""

    rows: list[RawRow]
    end: Place


def read_batches(
    path: Path,
    *,
    encoding: str,
    header: Header,
    start: Place | None = None,
    size: int = 5000,
    only: Collection[int] | None = None,
) -> Iterator[Batch]:
    """The rows of a file that survey() accepted, at most `size` at a time; blank lines and the header are left out.

    `encoding` and `header` are the survey's. `start` goes on where a batch ended. `only` keeps the rows that begin on
    these lines. For a file that survey() refused, or another one, this raises ValueError, csv.Error or
    EndlessRecordError.
    """
    rows: list[RawRow] = []
    wanted = None if only is None else frozenset(only)
    byte, line, held = 0, 1, 0
    for row, byte, line in _rows(path, encoding, header, start):
        if wanted is None or row.line in wanted:
            rows.append(row)
            held += sum(map(len, row.cells))
            if len(rows) == size or held > _MOST_HELD:
                yield Batch(rows, Place(byte, line))
                rows, held = [], 0
    if rows:
        yield Batch(rows, Place(byte, line))


def _rows(path: Path, encoding: str, header: Header, start: Place | None) -> Iterator[tuple[RawRow, int, int]]:
    """Each row that is not blank, with the byte and the line behind it."""
    awaits_header = start is None
    secret = next((at for at, column in enumerate(header.columns) if column and column.secret), None)
    byte, line = (start.byte, start.line) if start else (0, 1)
    for found in records(utf8_chunks(path, encoding, byte), LARGEST_ROW):
        for record, cells in zip(found, _parsed(found), strict=True):
            first = line
            line += line_breaks(record) if b'"' in record else 1
            byte += len(record)
            if is_blank(cells):
                continue
            if awaits_header:
                awaits_header = _is_other_header(cells, header)
            else:
                yield RawRow(first, _meant(cells, secret) if b"'" in record else cells), byte, line


def _parsed(found: Sequence[bytes]) -> Iterator[list[str]]:
    """The cells of each record; one record is one row, also for the csv module."""
    return csv.reader([record.decode() for record in found], strict=True)


def _is_other_header(cells: list[str], header: Header) -> bool:
    if tuple(cells) != header.names:
        raise ValueError("the file does not begin with the header that was surveyed")
    return False


def _meant(cells: list[str], secret: int | None) -> list[str]:
    """The cells without the mark that writer.py puts before what a spreadsheet would run.

    A password is never written by us: what stands before it was typed.
    """
    return [cell[1:] if at != secret and cell.startswith(_MARKED) else cell for at, cell in enumerate(cells)]
