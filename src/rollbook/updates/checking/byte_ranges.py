"""Find the byte ranges of a file that are still to be checked.

A file is divided at its checkpoints, and each batch of rows that was checked ends at a position.
"""

from collections.abc import Sequence
from dataclasses import dataclass
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

    def as_json(self) -> list[int | None]:
        """Return the range in a form for another process."""
        if self.start is None:
            return [None, None, self.stop]
        return [self.start.byte, self.start.line, self.stop]

    @classmethod
    def from_json(cls, fields: Sequence[int | None]) -> Self:
        """Return the range for which ``as_json`` returned these fields."""
        byte, line, stop = fields
        if byte is None or line is None:
            return cls(None, stop)
        return cls(FilePosition(byte, line), stop)


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
