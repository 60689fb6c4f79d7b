"""Read a record that is damaged: invalid quotes, NUL bytes, or bytes that are not UTF-8."""

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass

from rollbook.studentfile.problems.problem import Problem, printable_excerpt
from rollbook.studentfile.reading import quotes
from rollbook.studentfile.reading.header import Header
from rollbook.studentfile.reading.record_splitter import line_breaks

_NUL = "\0"
_ESCAPED_BYTES = re.compile("[\udc80-\udcff]")
_LAST_LINE = re.compile(rb"[^\r\n]*\Z")


@dataclass(frozen=True, slots=True)
class RowDamage:
    """Why a row is rejected before it is validated.

    Attributes:
        problems: The errors.
        cells: The indexes of the cells that can't be trusted.
    """

    problems: tuple[Problem, ...]
    cells: frozenset[int]


def read_record(record: bytes, line: int, header: Header) -> tuple[list[str], RowDamage | None]:
    """Return the cells of a record, and its damage if there is any.

    Cells contain U+FFFD for bytes that are not UTF-8, and no NUL.

    Args:
        record: The record, with its line end.
        line: The physical line on which it begins.
        header: The header of its file.
    """
    found = _bad_quotes(record, line, header)
    if found:
        cells, problems, damaged = found
    else:
        text = record.decode("utf-8", "surrogateescape")
        cells, problems, damaged = next(csv.reader([text], strict=True), []), [], set()
        cells = header.fit(cells)
    for has_damage, report in ((_has_nul, _nul_byte), (_has_bad_byte, _bad_byte)):
        indexes = [index for index, cell in enumerate(cells) if has_damage(cell)]
        if indexes:
            problems.append(report(record, line, _column(header, cells, indexes[0])))
            damaged.update(indexes)
    readable = [_readable(cell) for cell in cells]
    damage = RowDamage(tuple(problems), frozenset(damaged)) if problems else None
    return readable, damage


def _bad_quotes(
    record: bytes, line: int, header: Header
) -> tuple[list[str], list[Problem], set[int]] | None:
    """Return the cells, problem and damaged cells of a record with invalid quotes, or None.

    If the number of cells is not that of the header, no cell from the first bad one on can be
    trusted, because it may belong to another column.
    """
    raw = quotes.raw_texts(record)
    bad = [index for index, cell in enumerate(raw) if cell.is_bad]
    if not bad:
        return None
    cells = header.fit([cell.text for cell in raw])
    damaged = set(bad)
    if len(cells) != len(header.names):
        damaged = set(range(bad[0], len(cells)))
    column = _column(header, cells, bad[0])
    is_shown = column and not _is_secret(header, bad[0])
    found = printable_excerpt(_readable(cells[bad[0]])) if is_shown else ""
    return cells, [Problem("bad_quote", line, column, found)], damaged


def _nul_byte(record: bytes, line: int, column: str | None) -> Problem:
    where = _position(record, record.index(b"\0"), line)
    hint = f"{where} is NUL: remove it in your SIS or in the export"
    return Problem("nul_byte", line, column, hint=hint)


def _bad_byte(record: bytes, line: int, column: str | None) -> Problem:
    try:
        record.decode()
    except UnicodeDecodeError as error:
        where = _position(record, error.start, line)
        hint = (
            f"{where} (hex {record[error.start]:02X}) is not UTF-8: correct the value in your "
            "SIS, and check the encoding of the export"
        )
        return Problem("damaged_text", line, column, hint=hint)
    raise ValueError("the record is UTF-8")


def _position(record: bytes, index: int, line: int) -> str:
    before = record[:index]
    in_line = _LAST_LINE.search(before)
    column = len(in_line[0]) + 1 if in_line else 1
    return f"byte {column:,} of line {line + line_breaks(before):,}"


def _column(header: Header, cells: Sequence[str], index: int) -> str | None:
    """Return the name of the column of a cell, if it is certain."""
    if len(cells) != len(header.names):
        return None
    column = header.columns[index]
    return column.name if column else None


def _is_secret(header: Header, index: int) -> bool:
    column = header.columns[index]
    return column is None or column.secret


def _has_nul(cell: str) -> bool:
    return _NUL in cell


def _has_bad_byte(cell: str) -> bool:
    return _ESCAPED_BYTES.search(cell) is not None


def _readable(cell: str) -> str:
    text = cell.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return text.replace(_NUL, "")
