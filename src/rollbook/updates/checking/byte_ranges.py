"""Find the byte ranges of a file that are still to be checked.

A file is divided at its checkpoints, and each batch of rows that was checked ends at a position.
"""

import json
from dataclasses import astuple, dataclass
from typing import Self

from rollbook.studentfile.reading.reader import FilePosition
from rollbook.updates.models import UpdateJob

_BEYOND_ANY_LINE = 1 << 62


@dataclass(frozen=True, slots=True)
class ByteRange:
    """A part of a file that consists of whole records.

    Attributes:
        start: The position of its first record; None: the header.
        stop: The position after its last one; None: the end of the file.
    """

    start: FilePosition | None
    stop: FilePosition | None

    @property
    def lines(self) -> range:
        """Its physical lines; the lines above the first record are part of the first range."""
        first = self.start.line if self.start else 1
        end = self.stop.line if self.stop else _BEYOND_ANY_LINE
        return range(first, end)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Return the range for which ``as_json`` returned a text."""
        start, stop = json.loads(text)
        return cls(start and FilePosition(*start), stop and FilePosition(*stop))

    def as_json(self) -> str:
        """Return the range as a line for another process."""
        return json.dumps(astuple(self))


WHOLE_FILE = ByteRange(None, None)


def between_checkpoints(update: UpdateJob) -> list[ByteRange]:
    """Return the ranges into which the checkpoints of a file divide it."""
    checkpoints = [FilePosition(byte, line) for byte, line in update.checkpoints]
    return list(map(ByteRange, [None, *checkpoints], [*checkpoints, None]))


def unchecked_ranges(update: UpdateJob) -> list[ByteRange]:
    """Return the ranges that have not been checked, in the order of the file."""
    stored = update.checkedrange_set.order_by("end_byte")
    checked = list(stored.values_list("first_line", "end_byte", "end_line"))
    unchecked = []
    for part in between_checkpoints(update):
        start, stop = part.start, part.stop
        resume_at = start
        for first_line, byte, line in checked:
            is_after_start = start is None or line > start.line
            if is_after_start and (stop is None or first_line < stop.line):
                resume_at = FilePosition(byte, line)
        if stop is None or resume_at is None or resume_at.byte < stop.byte:
            unchecked.append(ByteRange(resume_at, stop))
    return unchecked
