"""A small CSV file with a fixed header, such as one of schools or of staff: its rows, and every line that is wrong.

Student files are read by reader.py, which never holds one as a whole.
"""

import codecs
import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from rollbook.studentfile.columns import fold_header
from rollbook.studentfile.problems.problem import PROBLEM_CODES, printable_excerpt
from rollbook.studentfile.reading.file_type import SNIFFED_BYTES, detect_non_csv

_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class CsvRejected(Exception):
    """Nothing of the file can be taken. ``text`` goes on where "line 3" begins a sentence."""

    def __init__(self, code: str, line: int, text: str) -> None:
        super().__init__(f"line {line:,} {text}")
        self.code, self.line, self.text = code, line, text


@dataclass
class CsvTable:
    """Rows as line and cells by column, blank lines left out; problems as line and sentence."""

    rows: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    problems: list[tuple[int, str]] = field(default_factory=list)


def read(data: bytes, columns: Sequence[str]) -> CsvTable:
    """The file's table; its header has these columns in any order, each cell is without the blanks at its ends.

    It may be UTF-8, or UTF-16 with a byte order mark. Raises TableRefused.
    """
    rows = _rows(_decoded(data))
    line, header = next(rows, (1, []))
    names = [fold_header(name) for name in header]
    if sorted(names) != sorted(columns):
        found = printable_excerpt(",".join(header)) or "nothing"
        raise CsvRejected(
            "wrong_header", line, f"must be {','.join(columns)} and is {found}; correct it"
        )
    table = CsvTable()
    for line, cells in rows:
        if len(cells) == len(names):
            table.rows.append((line, dict(zip(names, map(str.strip, cells), strict=True))))
        else:
            text = f"it does not have {len(names)} cells but {len(cells)}; put a text with a comma into quotes"
            table.problems.append((line, text))
    return table


def _decoded(data: bytes) -> str:
    if code := detect_non_csv(data[:SNIFFED_BYTES]):
        raise CsvRejected(
            code,
            1,
            f"shows that this is no CSV file: {PROBLEM_CODES[code].title}; {PROBLEM_CODES[code].repair}",
        )
    try:
        return data.decode("utf-16" if data.startswith(_UTF_16) else "utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise CsvRejected("not_utf8", line, "is not UTF-8; save the file as CSV UTF-8") from None


def _rows(text: str) -> Iterator[tuple[int, list[str]]]:
    """Each row that is not blank: the line on which it begins, and its cells."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    line = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield line, cells
            line = reader.line_num + 1
    except csv.Error as error:
        raise CsvRejected("not_csv", line, f"is not CSV ({error}); mend its quotes") from None
