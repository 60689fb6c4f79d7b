"""Split bytes into records.

A record is the bytes of one row with its line end. Records are separated exactly where csv.reader
separates rows, which a property test verifies with random bytes. The csv module only parses
records, one or several at a time.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import NamedTuple

# A cell is quoted, followed by any text before the comma; or it is not quoted, and quotes in it are
# ordinary characters. Every repetition is possessive, so that the time is linear in the length.
_CELL = rb'(?:"[^"]*+(?:""[^"]*+)*+"[^,\r\n]*+|(?!")[^,\r\n]*+)'
_ROW = rb'(?:[^"\r\n]*+(?=[\r\n]|\Z)|' + _CELL + rb"(?:," + _CELL + rb")*+)"
# A CR at the end of a block may be half of a CRLF.
_RECORD = re.compile(_ROW + rb"(?:\r\n|\n|\r(?!\Z))")
_LAST_RECORD = re.compile(_ROW + rb"(?:\r\n|\n|\r|\Z)")
_FIRST_CELL = re.compile(_CELL)
# Quoted cells of one line that follow each other, or have only empty cells between them. A doubled
# quote is matched like the end of one cell and the beginning of another.
_PLAIN_CELLS = re.compile(rb'(?<![^,\r\n])"[^"\r\n]*+(?:",*+"[^"\r\n]*+)*+"(?=[,\r\n]|\Z)')
# A single quote that isn't a whole cell; it begins with a literal, which makes the search fast.
_NOT_A_CELL = re.compile(rb'"(?:(?<=[^,\r\n]")|(?=[^,\r\n]))')
_LINE_BREAK = re.compile(rb"\r\n|\n|\r")
_CTRL_Z = b"\x1a"  # the end of a text in DOS programs


@dataclass(frozen=True, slots=True)
class FilePosition:
    """Where a record begins.

    Attributes:
        byte: Its first byte in the UTF-8 text, counted after the byte order mark.
        line: Its physical line.
    """

    byte: int = 0
    line: int = 1


class RecordTooLongError(Exception):
    """A record is longer than the limit, or a quote in it is never closed."""

    def __init__(self, record: bytes) -> None:
        super().__init__(f"a record of {len(record)} bytes or more")
        self.record = record
        """The record, or as much of it as was read."""


def split_records(block: bytes, *, final: bool) -> tuple[list[bytes], bytes]:
    """Return the complete records of a block, and the rest, which continues in the next block.

    Args:
        block: The bytes, from the beginning of a record.
        final: Whether the text ends with this block. Then there is a rest only if a quote is never
            closed.
    """
    records, position = _plain_records(block)
    match_record = (_LAST_RECORD if final else _RECORD).match
    while (quote := find_odd_quote(block, position)) >= 0:
        start = _line_start(block, quote, position)
        records += block[position:start].splitlines(keepends=True)
        match = match_record(block, start)
        if not match:
            return records, block[start:]
        records.append(match[0])
        position = match.end()
    lines = block[position:].splitlines(keepends=True)
    rest = lines.pop() if lines and not final and not lines[-1].endswith(b"\n") else b""
    return records + lines, rest


def _plain_records(block: bytes) -> tuple[list[bytes], int]:
    """Return the complete records of a block if it has quotes that are all plain, and their end."""
    if b'"' not in block:
        return [], 0
    end = block.rfind(b"\n") + 1
    lines = block[:end]
    # Without the doubled quotes inside of cells, all records have the same bounds.
    if not hide_quoted_cells(lines) and not hide_quoted_cells(lines.replace(b'""', b"")):
        return [], 0
    return lines.splitlines(keepends=True), end


class HiddenCells(NamedTuple):
    """A text in which each quoted cell is a single quote, and the contents of these cells."""

    text: bytes
    contents: list[bytes]


def hide_quoted_cells(block: bytes) -> HiddenCells | None:
    """Hide the quoted cells of a block; None unless each is one line and has no quotes inside.

    What is left has the lines and the commas that separate records and cells, and no others.

    Args:
        block: The bytes, from the beginning of a record.
    """
    parts = block.split(b'"')
    contents = parts[1::2]
    inside = b"".join(contents)
    if len(parts) % 2 == 0 or b"\n" in inside or b"\r" in inside:
        return None
    text = b'"'.join(parts[::2])
    # Where all cells are quoted, nothing else is left, and no quote is next to another.
    is_quoted = len(inside) > len(text) and not text.translate(None, b'",\r\n')
    is_plain = (is_quoted and b'""' not in text) or not _NOT_A_CELL.search(text)
    return HiddenCells(text, contents) if is_plain else None


def find_odd_quote(block: bytes, first: int = 0) -> int:
    """Return the position of the first quote that isn't plain, or -1.

    A plain quote begins or ends a quoted cell of one line, or is doubled inside of one. So each
    line before the position is a record.

    Args:
        block: The bytes.
        first: Where a record begins.
    """
    quote = block.find(b'"', first)
    while quote >= 0 and (cells := _PLAIN_CELLS.match(block, quote)):
        quote = block.find(b'"', cells.end())
    return quote


def _line_start(block: bytes, position: int, first: int) -> int:
    """Return where the line of a position begins; a line begins at `first`."""
    line_feed = block.rfind(b"\n", first, position)
    return max(line_feed, block.rfind(b"\r", first, position), first - 1) + 1


def iter_records(chunks: Iterable[bytes], row_bytes: int) -> Iterator[list[bytes]]:
    """Yield the records of a text in batches; uses memory for one chunk and one record.

    A Ctrl-Z as the last byte is dropped. If a quote is not closed in the last line, that line is
    a record.

    Args:
        chunks: The text as UTF-8.
        row_bytes: Maximum size of a record.

    Raises:
        RecordTooLongError: The next record is too long; all records before it have been yielded.
    """
    rest = b""
    for chunk in chunks:
        records, rest = split_records(rest + chunk, final=False)
        yield from check_record_size(records, row_bytes)
        if len(rest) > row_bytes:
            raise RecordTooLongError(rest)
    records, rest = split_records(rest.removesuffix(_CTRL_Z), final=True)
    if rest and not line_breaks(rest.rstrip(b"\r\n")):
        records, rest = [*records, rest], b""
    yield from check_record_size(records, row_bytes)
    if rest:
        raise RecordTooLongError(rest)


def check_record_size(records: list[bytes], row_bytes: int) -> Iterator[list[bytes]]:
    """Yield the records, or those before the first one that is too long.

    Raises:
        RecordTooLongError: One of them is too long.
    """
    if max(map(len, records), default=0) <= row_bytes:
        yield records
        return
    first = next(index for index, record in enumerate(records) if len(record) > row_bytes)
    yield records[:first]
    raise RecordTooLongError(records[first])


def line_breaks(data: bytes) -> int:
    """Return the number of line breaks; CRLF is one."""
    return len(_LINE_BREAK.findall(data))


def are_lines(records: Sequence[bytes]) -> bool:
    """Return whether each record is one line that has a line end."""
    block = b"".join(records)
    breaks = block.count(b"\n")
    if b"\r" in block:
        breaks += block.count(b"\r") - block.count(b"\r\n")
    return breaks == len(records) and block.endswith((b"\n", b"\r"))


def parse_record(record: bytes) -> list[str] | None:
    """Return the cells of one record, or None if its quotes are invalid.

    Bytes that are not UTF-8 become U+FFFD.
    """
    try:
        return next(csv.reader([record.decode("utf-8", "replace")], strict=True), [])
    except csv.Error:
        return None


def parse_records(records: Iterable[bytes]) -> list[list[str]]:
    """Return the cells of each record before the first one whose quotes are invalid.

    It is faster than parsing them one by one. Bytes that are not UTF-8 become U+FFFD.
    """
    rows: list[list[str]] = []
    with suppress(csv.Error):
        rows.extend(csv.reader((r.decode("utf-8", "replace") for r in records), strict=True))
    return rows


def is_blank(cells: Sequence[str]) -> bool:
    """Return whether a row is empty, or has only commas, spaces, tabs and page breaks."""
    return not "".join(cells).strip(" \t\v\f")


def line_end(end: bytes) -> bytes:
    """Return the line break at the end of a record, given its last two bytes."""
    if end == b"\r\n":
        return end
    return end[-1:] if end[-1:] in (b"\r", b"\n") else b""


def raw_cells(record: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the position and the bytes of each cell, with its quotes; an unclosed one is last."""
    position = 0
    while match := _FIRST_CELL.match(record, position):
        yield position, match[0]
        position = match.end() + 1
        if record[match.end() : position] != b",":
            return
    yield position, record[position:]


def line_of_unclosed_quote(record: bytes) -> int | None:
    """Return how many lines precede the first cell with a line break, or None."""
    for position, cell in raw_cells(record):
        if (cell.startswith(b'"') and _LINE_BREAK.search(cell)) or _is_open(cell):
            return line_breaks(record[:position])
    return None


def _is_open(cell: bytes) -> bool:
    return cell.startswith(b'"') and not _FIRST_CELL.match(cell)
