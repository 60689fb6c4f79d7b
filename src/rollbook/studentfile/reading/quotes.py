"""Inspect the quotes of a record: invalid ones, and those that were not closed."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from rollbook.studentfile.reading import swallowed_rows
from rollbook.studentfile.reading.header import Header
from rollbook.studentfile.reading.record_splitter import (
    find_odd_quote,
    line_breaks,
    raw_cells,
)

MAX_LINE_BREAKS_IN_MISFIT = 4
"""If a row with a wrong number of cells contains more line breaks, a quote was not closed."""

_SPACE_BEFORE_QUOTE = re.compile(rb'" +""')
_QUOTED_CELL = re.compile(rb'"(?:[^"]|"")*"')


class RawText(NamedTuple):
    """The text of a cell without the quotes around it, and whether its quotes are invalid.

    Bytes that are not UTF-8 are surrogates.
    """

    text: str
    is_bad: bool


def raw_texts(record: bytes) -> list[RawText]:
    """Return the cells of a record whose quotes may be invalid."""
    return [_raw_text(cell) for _, cell in raw_cells(record.rstrip(b"\r\n"))]


def _raw_text(cell: bytes) -> RawText:
    text = cell.decode("utf-8", "surrogateescape")
    if not cell.startswith(b'"'):
        return RawText(text, is_bad=False)
    inner = text[1:].removesuffix('"')
    if _QUOTED_CELL.fullmatch(cell):
        return RawText(inner.replace('""', '"'), is_bad=False)
    return RawText(inner, is_bad=True)


def may_warn(block: bytes) -> bool:
    """Return whether warning_code() may return a code for one of several records of one line."""
    return find_odd_quote(block) >= 0 or _SPACE_BEFORE_QUOTE.search(block) is not None


def warning_code(record: bytes, cells: Sequence[str]) -> str | None:
    """Return the code for unusual but valid quotes, or None.

    Args:
        record: The record.
        cells: Its cells.
    """
    if not any('"' in cell for cell in cells):
        return None
    if any(cell[:1] == " " and cell.lstrip(" ")[:1] == '"' for cell in cells):
        return "space_before_quote"
    has_any = any(cell[:1] != b'"' and b'"' in cell for _, cell in raw_cells(record))
    return "quote_in_cell" if has_any else None


def has_unclosed_quote(record: bytes, cells: list[str] | None, header: Header) -> bool:
    """Return whether a quote of a record was probably not closed, so that it contains other rows.

    A record of one line contains no others. One of several lines does if one of the lines looks
    like a row; or if it doesn't have as many cells as the header, and its quotes are invalid or it
    has many lines.

    Args:
        record: The record.
        cells: Its cells; None if its quotes are invalid.
        header: The header of its file.
    """
    breaks = line_breaks(record.rstrip(b"\r\n"))
    if not breaks:
        return False
    texts = cells if cells is not None else [cell.text for cell in raw_texts(record)]
    fits = len(header.fit(texts)) == len(header.names)
    if not fits and (cells is None or breaks > MAX_LINE_BREAKS_IN_MISFIT):
        return True
    if cells is None:
        return swallowed_rows.are_in_lines(record, header)
    return swallowed_rows.are_in_cells(cells, header)
