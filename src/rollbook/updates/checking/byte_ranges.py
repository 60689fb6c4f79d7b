"""What of a file still has to be checked: it is cut at the survey's marks, and batches tell how far they got."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from rollbook.studentfile.reading.reader import FilePosition
from rollbook.updates.models import UpdateJob


@dataclass(frozen=True, slots=True)
class ByteRange:
    """From ``start`` (None: the header) up to the byte ``stop`` (None: the end of the file)."""

    start: FilePosition | None
    stop: int | None

    def as_json(self) -> list[int | None]:
        """For another process."""
        return (
            [self.start.byte, self.start.line, self.stop] if self.start else [None, None, self.stop]
        )

    @classmethod
    def from_json(cls, said: Sequence[int | None]) -> Self:
        """What ``as_json`` gave."""
        byte, line, stop = said
        return cls(None if byte is None or line is None else FilePosition(byte, line), stop)


def unchecked_ranges(update: UpdateJob) -> list[ByteRange]:
    """What no batch has reached yet, in the order of the file."""
    marks = [FilePosition(byte, line) for byte, line in update.checkpoints]
    reached = sorted(update.checkedrange_set.values_list("end_byte", "end_line"))
    stretches = []
    for start, stop in zip([None, *marks], [*(mark.byte for mark in marks), None], strict=True):
        inside = [FilePosition(*end) for end in reached if _is_inside(end[0], start, stop)]
        begin = inside[-1] if inside else start
        if begin is None or begin.byte != stop:
            stretches.append(ByteRange(begin, stop))
    return stretches


def _is_inside(end: int, start: FilePosition | None, stop: int | None) -> bool:
    return (start is None or end > start.byte) and (stop is None or end <= stop)
