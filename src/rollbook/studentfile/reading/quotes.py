"""Inspect the quotes of a record: invalid ones, and those that were not closed."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from rollbook.studentfile.reading.header import Header
from rollbook.studentfile.reading.record_splitter import line_breaks, raw_cells
from rollbook.studentfile.reading.row_shape import fit_cells

MAX_LINE_BREAKS_IN_MISFIT = 4
"""If a row with a wrong number of cells contains more line breaks, a quote was not closed."""

_QUOTED_CELL = re.compile(rb'"(?:[^"]|"")*"')
_LINE = re.compile(rb"[^\r\n]+")
_ID = re.compile(r"[A-Za-z0-9._-]*\d[A-Za-z0-9._-]*")
_DATE_DIGITS = 4
_MAX_ID_DIFFERENCE = 2


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

    That is certain to be wrong if the record is one line. Otherwise it contains other rows if one
    of its lines looks like a row; or if it doesn't have as many cells as the header, and its quotes
    are invalid or it has many lines.

    Args:
        record: The record.
        cells: Its cells; None if its quotes are invalid.
        header: The header of its file.
    """
    breaks = line_breaks(record.rstrip(b"\r\n"))
    if not breaks:
        return False
    texts = cells if cells is not None else [cell.text for cell in raw_texts(record)]
    fits = len(fit_cells(texts, header)) == len(header.names)
    if not fits and (cells is None or breaks > MAX_LINE_BREAKS_IN_MISFIT):
        return True
    return _contains_rows(record, header)


def _contains_rows(record: bytes, header: Header) -> bool:
    """Return whether a line after the first one of a record looks like a row."""
    first, *others = (_texts(line) for line in _LINE.findall(record))
    return any(_looks_like_row(cells, first, header) for cells in others)


def _texts(line: bytes) -> list[str]:
    return [cell.decode("utf-8", "replace").strip(' "\t') for _, cell in raw_cells(line)]


def _looks_like_row(cells: list[str], first: Sequence[str], header: Header) -> bool:
    cells = fit_cells(cells, header)
    if len(cells) != len(header.names):
        return False
    values = _by_column(cells, header)
    own_values = _by_column(first, header)
    if "STUDENT_ID" in values:
        return _is_similar_id(values["STUDENT_ID"], own_values.get("STUDENT_ID", ""))
    if "USERNAME" in values:
        return bool(values["USERNAME"]) and " " not in values["USERNAME"]
    digits = sum(map(str.isdigit, values.get("DOB", "")))
    return digits >= _DATE_DIGITS and bool(values.get("FIRST_NAME") and values.get("LAST_NAME"))


def _is_similar_id(text: str, own: str) -> bool:
    """Return whether a text is an ID like that of the record; any ID if the record has none."""
    if not _ID.fullmatch(text):
        return False
    return not own or abs(len(text) - len(own)) <= _MAX_ID_DIFFERENCE


def _by_column(cells: Sequence[str], header: Header) -> dict[str, str]:
    pairs = zip(header.columns, cells, strict=False)
    return {column.name: cell for column, cell in pairs if column}
