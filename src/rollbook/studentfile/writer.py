"""Write CSV files that are harmless in spreadsheets and that reader.py reads back unchanged."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from typing import TextIO

_FORMULA_PREFIXES = ("=", "+", "-", "@", "\t", "\r", "'")


def guard_formula(cell: str) -> str:
    """Return the cell with a ``'`` before it if a spreadsheet could run it as a formula.

    reader.py removes the ``'`` again.
    """
    return "'" + cell if cell.startswith(_FORMULA_PREFIXES) else cell


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
