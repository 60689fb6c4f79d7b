"""Bytes into records: the one place where it is decided where a row of a student file begins and ends.

A record is the bytes of one row with its line end. Where the records of a file meet is exactly where csv.reader says,
which a property test holds to be so for random bytes. Only what is inside a record is left to the csv module.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

# A cell: quoted, then whatever stands before the comma; or not quoted, and then quotes are ordinary letters. Every
# repetition is possessive, so that the time for a block grows with its length and with nothing else.
_CELL = rb'(?:"[^"]*+(?:""[^"]*+)*+"[^,\r\n]*+|(?!")[^,\r\n]*+)'
_ROW = rb'(?:[^"\r\n]*+(?=[\r\n]|\Z)|' + _CELL + rb"(?:," + _CELL + rb")*+)"
_RECORD = re.compile(
    _ROW + rb"(?:\r\n|\n|\r(?!\Z))"
)  # a CR that ends a block may be half of a CRLF
_LAST_RECORD = re.compile(_ROW + rb"(?:\r\n|\n|\r|\Z)")
_FIRST_CELL = re.compile(_CELL)
_LINE_BREAK = re.compile(rb"\r\n|\n|\r")
_CTRL_Z = b"\x1a"  # how DOS programs end a text


@dataclass(frozen=True, slots=True)
class FilePosition:
    """Where a record begins: its byte in the UTF-8 text behind the byte order mark, and its physical line."""

    byte: int = 0
    line: int = 1


class RecordTooLongError(Exception):
    """A record is longer than the limit, or a quote in it is never closed."""

    def __init__(self, record: bytes) -> None:
        super().__init__(f"a record of {len(record)} bytes or more")
        self.record = record
        """The record, or as much of it as was read."""


def split_records(block: bytes, *, final: bool) -> tuple[list[bytes], bytes]:
    """The whole records at the beginning of a block, and the rest that needs the next block to be complete.

    After the `final` block there is a rest only if a quote is never closed.
    """
    records: list[bytes] = []
    match_record = (_LAST_RECORD if final else _RECORD).match
    position = 0
    while (quote := block.find(b'"', position)) >= 0:
        begin = _line_start(block, quote, position)
        records += block[position:begin].splitlines(keepends=True)
        match = match_record(block, begin)
        if not match:
            return records, block[begin:]
        records.append(match[0])
        position = match.end()
    lines = block[position:].splitlines(keepends=True)
    rest = lines.pop() if lines and not final and not lines[-1].endswith(b"\n") else b""
    return records + lines, rest


def _line_start(block: bytes, place: int, first: int) -> int:
    """Where the line of this place begins, if one begins at the first."""
    return max(block.rfind(b"\n", first, place), block.rfind(b"\r", first, place), first - 1) + 1


def iter_records(chunks: Iterable[bytes], row_bytes: int) -> Iterator[list[bytes]]:
    """All records of a text, some at a time, in memory for one chunk and one record of `row_bytes`.

    A Ctrl-Z as the very last byte is left out. Raises EndlessRecordError after the records before the endless one.
    """
    rest = b""
    for chunk in chunks:
        found, rest = split_records(rest + chunk, final=False)
        yield from _check_record_size(found, row_bytes)
        if len(rest) > row_bytes:
            raise RecordTooLongError(rest)
    found, rest = split_records(rest.removesuffix(_CTRL_Z), final=True)
    yield from _check_record_size(found, row_bytes)
    if rest:
        raise RecordTooLongError(rest)


def _check_record_size(found: list[bytes], row_bytes: int) -> Iterator[list[bytes]]:
    if max(map(len, found), default=0) <= row_bytes:
        yield found
        return
    first = next(index for index, record in enumerate(found) if len(record) > row_bytes)
    yield found[:first]
    raise RecordTooLongError(found[first])


def line_breaks(data: bytes) -> int:
    """How many physical lines end in the bytes; CRLF ends one."""
    return len(_LINE_BREAK.findall(data))


def is_blank(cells: Sequence[str]) -> bool:
    """Whether a row says nothing: an empty line, or nothing but commas, blanks and tabs."""
    return not "".join(cells).strip(" \t")


def raw_cells(record: bytes) -> Iterator[tuple[int, bytes]]:
    """The cells as they are written, quotes and all, with their places; the last one if a quote is open in it."""
    position = 0
    while match := _FIRST_CELL.match(record, position):
        yield position, match[0]
        position = match.end() + 1
        if record[match.end() : position] != b",":
            return
    yield position, record[position:]


def line_of_unclosed_quote(record: bytes) -> int | None:
    """How many lines of the record end before the first cell that goes on over its line's end; None if none does."""
    for position, cell in raw_cells(record):
        if (cell.startswith(b'"') and _LINE_BREAK.search(cell)) or _is_open(cell):
            return line_breaks(record[:position])
    return None


def _is_open(cell: bytes) -> bool:
    return cell.startswith(b'"') and not _FIRST_CELL.match(cell)
