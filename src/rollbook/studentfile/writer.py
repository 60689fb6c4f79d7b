"""Write CSV files that are harmless in spreadsheets and that reader.py reads back unchanged."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from typing import TextIO

from rollbook.studentfile.columns import BY_NAME
from rollbook.studentfile.rules import DateOrder

FORMULA_PREFIXES = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "\t", "\r", "\n", "'")
"""What a spreadsheet may read as the beginning of a formula, and the ``'`` that prevents it.

Some spreadsheets read full-width characters like the ASCII ones, and skip blanks and line breaks.
"""


def format_value(column: str, canonical: str, date_order: DateOrder) -> str:
    """Return a canonical value as it is written to files that may be uploaded again.

    Args:
        column: The name of the value's column.
        canonical: The value.
        date_order: The order that the district has set. With the day first, dates are written as
            yyyy-mm-dd, which means the same in every file.
    """
    is_ambiguous = column == "DOB" and date_order is not DateOrder.MONTH_FIRST
    if not canonical or is_ambiguous or column not in BY_NAME:
        return canonical
    return BY_NAME[column].format(canonical)


def guard_formula(cell: str) -> str:
    """Return the cell with a ``'`` before it if a spreadsheet could run it as a formula.

    reader.py removes the ``'`` again.
    """
    return "'" + cell if cell.startswith(FORMULA_PREFIXES) else cell


def write(file: TextIO, header: Sequence[str], rows: Iterable[Sequence[str]]) -> int:
    """Write the header and the rows as lines() yields them, and return the number of rows.

    Open the file with newline="" and UTF-8.
    """
    last = 0
    for number, line in enumerate(lines(header, rows)):
        file.write(line)
        last = number
    return last


def lines(header: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Yield the header as it is, then the rows with guarded cells.

    Every cell is quoted, and every line ends in CRLF.
    """
    format_line = csv.writer(_EchoFile(), quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerow
    yield format_line(header)
    for row in rows:
        yield format_line([guard_formula(cell) for cell in row])


class _EchoFile:
    """A file whose write() returns the text, so that a csv.writer returns each line."""

    def write(self, line: str) -> str:
        return line
