"""Recognize lines that contain no student: blank lines, lines of dashes, and footers.

The scan and the reader use the same functions, so that both count the same rows.
"""

import re
from collections.abc import Iterator, Sequence

from rollbook.studentfile.problems.problem import Problem, printable_excerpt
from rollbook.studentfile.reading.record_splitter import RecordTooLongError, is_blank, line_breaks

DASHES = "-="
_BLANK_BYTES = b' ",\t\r\n\v\f'
BLANK_OR_DASHES = _BLANK_BYTES + DASHES.encode()
"""The bytes of a record that may be skipped; all others in it make it a row."""
MAX_TRAILING_LINES = 200
"""Footers are searched for in so many of the last records, blank lines included."""

_PADDING = " \t\v\f"
_MIN_DASHES = 2
_LINE_ENDS = b"\r\n"
# The end of a text in DOS programs, and what some programs fill the last block of a file with.
_CTRL_Z_AT_END = re.compile(rb"\x1a[\x1a\0 \t\r\n]*\Z")
_MAX_FOOTER_BYTES = 300
_COUNTED = r"(?:row|record|line|student|pupil|result|item)(?:s|\(s\))?"
_DONE = r"(?:affected|selected|returned|exported|fetched|retrieved|found|written|processed|listed)"
_NUMBER = r"\d[\d,.]*"
_IS = r"[\s:=,]*"
_FOOTER = re.compile(
    rf"""
    \(?\s*(?:{_NUMBER}|no)\s+{_COUNTED}(?:\s+(?:{_DONE}|in\s+set|total))?
        \s*(?:\([^()]*\))?\s*\)?\.?
    |{_DONE}\s+{_NUMBER}\s+{_COUNTED}\.?
    |query\s+ok\b[^,]*,\s*{_NUMBER}\s+rows?\s+affected\b[^,]*
    |(?:grand\s+|sub-?)?total(?:\s+(?:number\s+of\s+)?{_COUNTED}|\s+count)?{_IS}{_NUMBER}
    |(?:{_COUNTED}\s+)?count{_IS}{_NUMBER}
    |(?:number|no\.?|count|sum)\s+of\s+{_COUNTED}{_IS}{_NUMBER}
    |{_COUNTED}(?:\s+(?:total|{_DONE}))?{_IS}{_NUMBER}
    |trailer{_IS}{_NUMBER}
    |[-*=\#<\[\s]*(?:eof|eod|(?:the\s+)?end(?:\s*of\s*(?:the\s+)?
        (?:report|file|data|export|extract|list|records?|students?|transmission))?)[-*=\#>\]\s.]*
    |(?:completion\s+time|(?:elapsed|run)?\s*time|elapsed|(?:report|run|export)?\s*date)
        \s*:[^,]*\d[^,]*
    |(?:report\s+|file\s+)?(?:generated|created|exported|printed|produced)
        (?:\s+(?:on|at|by)\b|\s*:|\s+\d)[^,]*(?:,[^,]*)?
    |page\s+\d+(?:\s+of\s+\d+)?
    |(?:\(c\)|©|copyright\b|confidential\b)[^,]*
    |warning:\s+null\s+value\s+is\s+eliminated\b.*
    |pl/sql\s+procedure\s+successfully\s+completed\.?
    |(?:sql>|disconnected\s+from\b).*
    |(?:\#|--)\s*[a-z][^,]*
    |[-=*_~\s,]{{3,}}
    """,
    re.VERBOSE | re.IGNORECASE,
)

_FAILURE = re.compile(
    r"""
    (?:php\s+)?(?:catchable\s+)?(?:fatal|parse)\s+error\b
    |traceback\s+\(most\s+recent\s+call\s+last\)
    |(?:unhandled\s+exception|exception\s+in\s+thread)\b
    |(?:ora|tns|sp2|pls)-\d{4,5}\b
    |sql\d{4,5}n\b
    |msg\s+\d+,\s+level\s+\d+
    |error(?:\s+\d+)?(?:\s+\([\w.]+\))?(?:\s+at\s+line\s+\d+)?:
    |(?:\w+\.)*\w*(?:exception|error)\s*[:(]
    |(?:curl|psql|mysql|bcp|sqlcmd|sqlplus):\s
    """,
    re.VERBOSE | re.IGNORECASE,
)
_TAGS = re.compile(r"<[^<>]*>")


def is_skipped(cells: Sequence[str]) -> bool:
    """Return whether a record contains no student wherever it is: a blank line, or dashes."""
    if "".join(cells).strip(_PADDING + DASHES):
        return False
    return is_blank(cells) or is_line_of_dashes(cells)


def is_line_of_dashes(cells: Sequence[str]) -> bool:
    """Return whether each filled cell is a line of dashes, as database programs draw them."""
    filled = [cell for cell in map(str.strip, cells) if cell]
    longest = max(map(len, filled), default=0)
    return longest >= _MIN_DASHES and all(not cell.strip(DASHES) for cell in filled)


def is_footer(record: bytes) -> bool:
    """Return whether a record at the end of a file is a total, a count or an end mark."""
    if len(record) > _MAX_FOOTER_BYTES:
        return False
    text = record.decode("utf-8", "replace").replace('"', "").strip(" ,\t\r\n\v\f")
    return _FOOTER.fullmatch(text) is not None


def is_failure(record: bytes) -> bool:
    """Return whether a record is the message with which an export fails, and not a row."""
    text = _TAGS.sub("", record.decode("utf-8", "replace"))
    return _FAILURE.match(text.strip(' ,"\t\r\n\v\f')) is not None


def footer_problems(records: Sequence[bytes], line: int) -> list[Problem]:
    """Return a warning for each footer.

    Args:
        records: The records from the first footer on.
        line: The line of the first one.
    """
    problems = []
    for record in records:
        if text := printable_line(record):
            problems.append(Problem("footer_skipped", line, found=text))
        line += line_breaks(record)
    return problems


def printable_line(record: bytes) -> str:
    """Return a skipped line as a problem quotes it; empty if it is blank."""
    return printable_excerpt(record.decode("utf-8", "replace").strip(' ,"\t\r\n'))


class FooterFilter:
    """Removes the footers and a final Ctrl-Z from the records of a text.

    Attributes:
        skipped: After the last batch: the records from the first footer on, blank lines included.
        last: The last ones of the other records, blank lines included.
    """

    def __init__(self) -> None:
        self.skipped: list[bytes] = []
        self.last: list[bytes] = []

    def filter(self, batches: Iterator[list[bytes]]) -> Iterator[list[bytes]]:
        """Yield the other records; the last ones are held back until the end is known.

        Raises:
            RecordTooLongError: As iter_records() raises it, after all records before it.
        """
        held: list[bytes] = []
        try:
            for batch in batches:
                held += batch
                complete = max(0, len(held) - MAX_TRAILING_LINES)
                yield held[:complete]
                held = held[complete:]
        except RecordTooLongError:
            yield held
            raise
        held = without_ctrl_z(held)
        first_footer = _first_footer(held)
        self.last, self.skipped = held[:first_footer], held[first_footer:]
        yield self.last


def without_ctrl_z(records: list[bytes]) -> list[bytes]:
    """Return the last records of a text without a Ctrl-Z at its end."""
    last = len(records) - 1
    while last >= 0 and not records[last].strip(_LINE_ENDS):
        last -= 1
    if last < 0 or not (match := _CTRL_Z_AT_END.search(records[last])):
        return records
    rest = records[last][: match.start()]
    return [*records[:last], rest] if rest else records[:last]


def _first_footer(records: Sequence[bytes]) -> int:
    """Return the index of the first footer at the end, or the number of records."""
    first = len(records)
    for index in range(len(records) - 1, -1, -1):
        if is_footer(records[index]):
            first = index
        elif records[index].strip(_BLANK_BYTES):
            break
    return first
