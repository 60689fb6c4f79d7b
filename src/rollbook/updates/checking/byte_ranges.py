"""Find the byte ranges of a file that are still to be checked.

A file is divided at its checkpoints, and each batch of rows that was checked ends at a position.
"""

import json
from dataclasses import astuple, dataclass
from typing import Self

from rollbook.studentfile.reading.reader import FilePosition
from rollbook.updates.models import UpdateJob


@dataclass(frozen=True, slots=True)
class ByteRange:
    """A part of a file that consists of whole records.

    Attributes:
        start: The position of its first record; None: the header.
        stop: The byte before which it ends; None: the end of the file.
    """

    start: FilePosition | None
    stop: int | None

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Return the range for which ``as_json`` returned a text."""
        start, stop = json.loads(text)
        return cls(start and FilePosition(*start), stop)

    def as_json(self) -> str:
        """Return the range as a line for another process."""
        return json.dumps(astuple(self))


def unchecked_ranges(update: UpdateJob) -> list[ByteRange]:
    """Return the ranges that have not been checked, in the order of the file."""
    checkpoints = [FilePosition(byte, line) for byte, line in update.checkpoints]
    stored = update.checkedrange_set.order_by("end_byte")
    checked = list(stored.values_list("first_line", "end_byte", "end_line"))
    unchecked = []
    for start, stop in zip([None, *checkpoints], [*checkpoints, None], strict=True):
        resume_at = start
        for first_line, byte, line in checked:
            is_after_start = start is None or line > start.line
            if is_after_start and (stop is None or first_line < stop.line):
                resume_at = FilePosition(byte, line)
        if stop is None or resume_at is None or resume_at.byte < stop.byte:
            unchecked.append(ByteRange(resume_at, stop.byte if stop else None))
    return unchecked
