"""CSV going out: no cell can run in a spreadsheet, and reader.py reads back exactly what was meant."""

import csv
from collections.abc import Iterable, Sequence
from typing import TextIO

_DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "'")


def neutralised(cell: str) -> str:
    """The cell with a ' before it if a spreadsheet could take it for a formula; reader.py takes that one off again."""
    return "'" + cell if cell.startswith(_DANGEROUS) else cell


def write(file: TextIO, header: Sequence[str], rows: Iterable[Sequence[str]]) -> int:
    """Writes the header and the rows, each cell neutralised and quoted, lines ending in CRLF; answers how many rows.

    Open the file with newline="" and UTF-8. The header's names are written as they are.
    """
    writer = csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(header)
    count = 0
    for row in rows:
        writer.writerow([neutralised(cell) for cell in row])
        count += 1
    return count
