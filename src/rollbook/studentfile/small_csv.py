"""Read a small CSV file with a fixed header, such as a file of schools or staff members.

Student files are read by reading/reader.py, which never loads a whole file.
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
    """The file can't be used as a whole.

    ``text`` continues a sentence that begins with "line 3".
    """

    def __init__(self, code: str, line: int, text: str) -> None:
        super().__init__(f"line {line:,} {text}")
        self.code, self.line, self.text = code, line, text


@dataclass
class CsvTable:
    """The content of a file.

    Attributes:
        rows: Line number and cells by column name, without blank lines.
        problems: Line number and what is wrong, without capital and final period.
    """

    rows: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    problems: list[tuple[int, str]] = field(default_factory=list)


def read(data: bytes, columns: Sequence[str]) -> CsvTable:
    """Read a file in UTF-8, or in UTF-16 with a byte order mark.

    Args:
        data: The whole file.
        columns: The names that its header must have, in any order.

    Raises:
        CsvRejected: The file is not such a CSV file.
    """
    rows = _rows(_decode(data))
    line, header = next(rows, (1, []))
    by_spelling = {fold_header(column): column for column in columns}
    names = [by_spelling.get(fold_header(name), name) for name in header]
    if sorted(names) != sorted(columns):
        excerpt = printable_excerpt(",".join(header)) or "empty"
        raise CsvRejected(
            "wrong_header", line, f"must be {','.join(columns)} but is {excerpt}; correct it"
        )
    table = CsvTable()
    for line, cells in rows:
        if len(cells) == len(names):
            table.rows.append((line, dict(zip(names, map(str.strip, cells), strict=True))))
        else:
            table.problems.append((line, _wrong_cell_count(len(cells), len(names))))
    return table


def _wrong_cell_count(actual: int, expected: int) -> str:
    return (
        f"there must be {expected} cells, not {actual}; "
        "put values that contain a comma in quotation marks"
    )


def _decode(data: bytes) -> str:
    if code := detect_non_csv(data[:SNIFFED_BYTES]):
        definition = PROBLEM_CODES[code]
        raise CsvRejected(
            code,
            1,
            f"shows that this is not a CSV file: {definition.title}; {definition.fix}",
        )
    encoding = "utf-16" if data.startswith(_UTF_16) else "utf-8-sig"
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise CsvRejected("not_utf8", line, "is not UTF-8; save the file as CSV UTF-8") from None


def _rows(text: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the first line and the cells of each row that is not blank."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    line = 1
    try:
        for cells in reader:
            if any(map(str.strip, cells)):
                yield line, cells
            line = reader.line_num + 1
    except csv.Error as error:
        raise CsvRejected(
            "not_csv", line, f"is not CSV ({error}); check its quotation marks"
        ) from None
