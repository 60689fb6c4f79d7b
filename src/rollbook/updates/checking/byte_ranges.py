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
    batch_ends = sorted(update.checkedrange_set.values_list("end_byte", "end_line"))
    starts = [None, *checkpoints]
    stops = [*(checkpoint.byte for checkpoint in checkpoints), None]
    ranges = []
    for start, stop in zip(starts, stops, strict=True):
        resume_at = start
        for byte, line in batch_ends:
            if _is_inside(byte, start, stop):
                resume_at = FilePosition(byte, line)
        if resume_at is None or resume_at.byte != stop:
            ranges.append(ByteRange(resume_at, stop))
    return ranges


def _is_inside(end_byte: int, start: FilePosition | None, stop: int | None) -> bool:
    is_after_start = start is None or end_byte > start.byte
    return is_after_start and (stop is None or end_byte <= stop)
