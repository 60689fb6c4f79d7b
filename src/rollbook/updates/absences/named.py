"""Find the students whom rejected rows name that match nobody: they count as present.

The rows are read from the file again, because the staged rows only have their valid values. Any
cell can be an ID, also of a column that isn't known, and a cell can contain whole rows if a quote
isn't closed.
"""

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from itertools import starmap

from rollbook.studentfile.reading.header import Header
from rollbook.studentfile.reading.reader import FilePosition, RawRow
from rollbook.students import recognition
from rollbook.updates.checking.byte_ranges import ByteRange
from rollbook.updates.checking.records import FileReader
from rollbook.updates.exports import students_shown
from rollbook.updates.models import UpdateJob
from rollbook.updates.receiving import files
from rollbook.updates.row_outcomes import FIRST_WITHOUT_LINE
from rollbook.updates.state_machine import Outcome

_SEPARATORS = re.compile(r"[\s,;|\"']+")


def rejected_without_student(update: UpdateJob) -> list[int]:
    """Return the lines of the rejected rows that match no student, in ascending order."""
    rejected = update.stagedrow_set.filter(outcome=Outcome.REJECTED, student=None)
    lines = rejected.filter(line__lt=FIRST_WITHOUT_LINE).order_by("line")
    return list(lines.values_list("line", flat=True))


def students_named(update: UpdateJob, lines: Sequence[int]) -> set[int]:
    """Return the students of the district whom these rows of an update's file name.

    Raises:
        FileMissing: The student file is missing or damaged.
    """
    found: set[int] = set()
    header = update.parse_header()
    for rows in _rows(update, lines, header):
        keys = set(_keys(rows, header))
        found |= recognition.holders(update.district_id, keys, keys)
        found |= students_shown.in_file_rows(update, iter([rows]))
    return found


def _keys(rows: Iterable[RawRow], header: Header) -> Iterator[str]:
    """Yield all that may be a key: each cell, what a mapping makes of it, and their parts."""
    for row in rows:
        for cell in (*row.cells, *header.read_through(row.cells)):
            yield cell.strip()
            yield from _SEPARATORS.split(cell)


def _rows(update: UpdateJob, lines: Sequence[int], header: Header) -> Iterator[list[RawRow]]:
    """Yield these rows, reading only the checked ranges that have any of them."""
    if not lines:
        return
    files.ensure_available(update.spool_name, update.spool_digest)
    file = FileReader(update, header)
    stored = update.checkedrange_set.order_by("end_line").values_list("end_byte", "end_line")
    start: FilePosition | None = None
    at = 0  # how many of the lines are in earlier ranges
    for stop in starmap(FilePosition, stored):
        wanted = set(lines[at : bisect_left(lines, stop.line)])
        if wanted:
            for batch in file.read(ByteRange(start, stop)):
                yield batch.rows(header, wanted)
        start, at = stop, at + len(wanted)
