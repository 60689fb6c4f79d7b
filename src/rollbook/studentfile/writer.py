"""CSV going out: no cell can run in a spreadsheet, and reader.py reads back exactly what was meant."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from typing import TextIO

_DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "'")


def guard_formula(cell: str) -> str:
    """The cell with a ' before it if a spreadsheet could take it for a formula; reader.py takes that one off again."""
    return "'" + cell if cell.startswith(_DANGEROUS) else cell


def write(file: TextIO, header: Sequence[str], rows: Iterable[Sequence[str]]) -> int:
    """Writes the header and the rows as lines() gives them; answers how many rows.

    Open the file with newline="" and UTF-8.
    """
    written = 0
    for written, line in enumerate(lines(header, rows)):
        file.write(line)
    return written


def lines(header: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """The header's names as they are and then the rows, each cell neutralised and quoted, lines ending in CRLF."""
    as_line = csv.writer(_EchoFile(), quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerow
    yield as_line(header)
    for row in rows:
        yield as_line([guard_formula(cell) for cell in row])


class _EchoFile:
    """A file that gives back what is written to it, and so does a csv.writer on it."""

    def write(self, line: str) -> str:
        return line
