"""Find the header of a file below titles, comments and blank lines."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise

from rollbook.studentfile.identifying_columns import IDENTIFYING_COLUMNS
from rollbook.studentfile.mapping.choice import MappingChoice
from rollbook.studentfile.problems.problem import Problem
from rollbook.studentfile.reading.header import Header, looks_like_header
from rollbook.studentfile.reading.record_splitter import is_blank, line_breaks, parse_record
from rollbook.studentfile.reading.skipped_lines import printable_line

MAX_LINES_ABOVE = 10
"""The header is searched for in so many lines after the first one that is not blank."""
MAX_RECORDS_SEARCHED = 1000
"""The same, blank lines included."""

REMOVE_COLUMNS_HINT = "remove those that you don't need"
_DELIMITERS = {";": "semicolons", "\t": "tabs", "|": "vertical bars"}
_RARE_DELIMITERS = {"~": "tildes", "^": "carets", "  ": "spaces"}
_HINT_FOR_TYPE_LINE = "no action needed; Export-Csv omits it with -NoTypeInformation"
_TITLE_CELLS = 4
_PLAIN_COLUMNS = 2
_ID = re.compile(r"[A-Za-z0-9._-]*\d[A-Za-z0-9._-]*")


@dataclass(frozen=True, slots=True)
class _Line:
    """A record that is not blank: its index, bytes and cells; None: its quotes are invalid."""

    index: int
    record: bytes
    cells: list[str] | None


def can_decide(records: Sequence[bytes]) -> bool:
    """Return whether these first records of a file are enough to find its header.

    Args:
        records: The first records of a file, from the first one that is not blank.
    """
    lines = _filled_lines(records)
    if _is_header_at_once(next(lines)) or len(records) >= MAX_RECORDS_SEARCHED:
        return True
    return len([*lines]) >= MAX_LINES_ABOVE


def find_mapped_header(records: Sequence[bytes], choice: MappingChoice) -> int | None:
    """Return the index of the header that has the columns of a mapping; None: there is none.

    Args:
        records: The first records of a file, from the first one that is not blank.
        choice: The mappings through which it can be read.
    """
    lines = islice(_filled_lines(records), MAX_LINES_ABOVE + 1)
    return next((each.index for each in lines if each.cells and choice.fitting(each.cells)), None)


def find_header(records: Sequence[bytes]) -> int:
    """Return the index of the header, or 0 if it is not found.

    A line below the first one is the header only if it plainly names columns, and if no line above
    it can be a student: each is a comment, or a title that fills fewer cells.

    Args:
        records: The first records of a file, from the first one that is not blank.
    """
    above: list[_Line] = []
    for line in _filled_lines(records):
        is_header = _is_header_below(line, above) if above else _is_header_at_once(line)
        if is_header:
            return line.index
        above.append(line)
        if len(above) > MAX_LINES_ABOVE:
            break
    return 0


def hint_for_title(records: Sequence[bytes], line: int) -> str:
    """Return where the header is if it isn't the first record, or "".

    Args:
        records: The first records.
        line: The line of the first one.
    """
    for record, following in pairwise(records[: MAX_LINES_ABOVE + 1]):
        line += line_breaks(record)
        if looks_like_header(parse_record(following) or []):
            return f"line {line:,} looks like the header: remove the lines above it"
    return ""


def count_blank(records: Sequence[bytes]) -> int:
    """Return how many records precede the first one that is not blank."""
    first = next(_filled_lines(records), None)
    return first.index if first else len(records)


def is_comment(record: bytes) -> bool:
    """Return whether a record is a comment, such as the #TYPE line of Export-Csv."""
    return record.lstrip(b'" \t').startswith(b"#")


def title_problems(records: Sequence[bytes], line: int) -> list[Problem]:
    """Return a warning for each line above the header that is not blank.

    Args:
        records: The records above the header.
        line: The line of the first one.
    """
    problems = []
    for record in records:
        if text := printable_line(record):
            hint = _HINT_FOR_TYPE_LINE if text[:5].upper() == "#TYPE" else ""
            problems.append(Problem("title_skipped", line, found=text, hint=hint))
        line += line_breaks(record)
    return problems


def has_names(record: bytes, header: Header) -> bool:
    """Return whether a record is this header."""
    cells = parse_record(record)
    return cells is not None and tuple(cells) == header.names


def _filled_lines(records: Sequence[bytes]) -> Iterator[_Line]:
    for index, record in enumerate(records):
        cells = parse_record(record)
        if cells is None or not is_blank(cells):
            yield _Line(index, record, cells)


def _is_header_at_once(line: _Line) -> bool:
    """Return whether the first line is a header whatever follows it.

    A single name could be a title, and a comment could contain the names.
    """
    if line.cells is None or is_comment(line.record) or len(_filled(line.cells)) == 1:
        return False
    known = Header.parse(line.cells)[0].known
    return len(known) >= _PLAIN_COLUMNS or not known.isdisjoint(IDENTIFYING_COLUMNS)


def _is_header_below(line: _Line, above: Sequence[_Line]) -> bool:
    cells = line.cells
    if cells is None or is_comment(line.record) or not looks_like_header(cells):
        return False
    if all(is_comment(other.record) for other in above):
        return True
    known = Header.parse(cells)[0].known
    names = _filled(cells)
    if len(known) < _PLAIN_COLUMNS or not all(map(_has_letter, names)):
        return False
    return all(_is_title(other, len(names), len(cells)) for other in above)


def _is_title(line: _Line, names: int, width: int) -> bool:
    """Return whether a line above a header can't be a student.

    Args:
        line: The line.
        names: The number of names in the header.
        width: The number of its cells.
    """
    if is_comment(line.record):
        return True
    if line.cells is None:
        return False
    filled = _filled(line.cells)
    if len(filled) == 1:
        return names > 1
    if len(filled) >= names or len(filled) > _TITLE_CELLS or _ID.fullmatch(filled[0]):
        return False
    return len(filled) <= _PLAIN_COLUMNS or len(line.cells) < width


def _filled(cells: Sequence[str]) -> list[str]:
    return [cell for cell in map(str.strip, cells) if cell]


def _has_letter(name: str) -> bool:
    return any(map(str.isalpha, name))


def hint_for_columns(count: int, limit: int) -> str:
    """Return how to fix a header with more columns than the limit."""
    return f"it has {count:,} columns and at most {limit:,} are allowed: {REMOVE_COLUMNS_HINT}"


def hint_for_delimiter(names: Sequence[str]) -> str:
    """Return how to fix a header that is not separated by commas, or ""."""
    line = ",".join(names)
    if line.lower().startswith("sep=") and line[4:5] in _DELIMITERS:
        return "remove the line that starts with sep= and export with commas between the cells"
    if len(names) == 1 and "," in line and looks_like_header(line.split(",")):
        return "each line is one cell: export without quotation marks around whole lines"
    for delimiter, plural in (_DELIMITERS | _RARE_DELIMITERS).items():
        is_header = looks_like_header(line.split(delimiter)) and not looks_like_header(names)
        is_prose = delimiter in _RARE_DELIMITERS or f"{delimiter} " in line
        if is_header or (len(names) == 1 and delimiter in line and not is_prose):
            return f"the header is separated by {plural}: export it with commas between the cells"
    return ""
