"""Find rows inside a record whose quotes are out of step, so that a cell contains other rows."""

import re
from collections.abc import Iterator, Mapping, Sequence

from rollbook.studentfile.identifying_columns import IDENTIFYING_COLUMN_SETS
from rollbook.studentfile.reading.header import Header
from rollbook.studentfile.reading.record_splitter import raw_cells

_LINE_BREAK = re.compile(r"\r\n|\n|\r")
_LINE = re.compile(rb"[^\r\n]+")
_ID = re.compile(r"[A-Za-z0-9._-]*\d[A-Za-z0-9._-]*")
_DATE_DIGITS = 4
_MAX_ID_DIFFERENCE = 2


def are_in_lines(record: bytes, header: Header) -> bool:
    """Return whether a line after the first one looks like a row.

    Args:
        record: A record with invalid quotes.
        header: The header of its file.
    """
    first, *others = (_texts(line) for line in _LINE.findall(record))
    return any(_looks_like_row(cells, first, header) for cells in others)


def are_in_cells(cells: Sequence[str], header: Header) -> bool:
    """Return whether a line inside a cell looks like a row, or like most of one.

    Args:
        cells: The cells of a record with valid quotes.
        header: The header of its file.
    """
    for index, cell in enumerate(cells):
        rows = _possible_rows(cells, index, header) if _LINE_BREAK.search(cell) else iter(())
        if any(_looks_like_row(row, cells, header) for row in rows):
            return True
    return False


def _possible_rows(cells: Sequence[str], index: int, header: Header) -> Iterator[list[str]]:
    """Yield what would be rows if the line breaks in a cell were the ends of rows.

    The first line is one only if it contains an identifying value that is not before the cell; the
    last line only if it contains all identifying values, and none is behind the cell.
    """
    lines = (_texts(line.encode()) for line in _LINE_BREAK.split(cells[index]))
    first, *middle, last = lines
    yield from middle
    last_key = max(_key_indexes(header).values(), default=0)
    if last_key > index:
        yield [*cells[:index], *first]
    if last_key < len(last):
        yield [*last, *cells[index + 1 :]]


def _texts(line: bytes) -> list[str]:
    return [cell.decode("utf-8", "replace").strip(' "\t') for _, cell in raw_cells(line)]


def _looks_like_row(cells: list[str], record: Sequence[str], header: Header) -> bool:
    """Return whether cells have the right number, and identify a student as the record does."""
    cells = header.fit(cells)
    indexes = _key_indexes(header)
    if len(cells) != len(header.names) or not indexes:
        return False
    values = {name: cells[index] for name, index in indexes.items()}
    own = {name: record[index] for name, index in indexes.items() if index < len(record)}
    if "STUDENT_ID" in values:
        return _is_similar_id(values["STUDENT_ID"], own.get("STUDENT_ID", ""))
    if "USERNAME" in values:
        return bool(values["USERNAME"]) and " " not in values["USERNAME"]
    return all(values.values()) and sum(map(str.isdigit, values["DOB"])) >= _DATE_DIGITS


def _key_indexes(header: Header) -> Mapping[str, int]:
    """Return the first identifying columns of the header, and their indexes."""
    indexes = {column.name: index for index, column in enumerate(header.columns) if column}
    for names in IDENTIFYING_COLUMN_SETS:
        if names <= indexes.keys():
            return {name: indexes[name] for name in names}
    return {}


def _is_similar_id(text: str, own: str) -> bool:
    """Return whether a text is an ID like that of the record; any ID if the record has none."""
    if not _ID.fullmatch(text):
        return False
    return not _ID.fullmatch(own) or abs(len(text) - len(own)) <= _MAX_ID_DIFFERENCE
