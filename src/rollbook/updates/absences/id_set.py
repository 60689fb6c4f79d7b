"""A set of students' IDs, as one byte for each number between the smallest and the largest."""

from array import array
from collections.abc import Iterable, Iterator, Sequence

MAX_BYTES_PER_ID = 8
"""Where the IDs are further apart, because other districts have those between, it is a set."""


class IdSet:
    """Some of the IDs that it was made for.

    Args:
        possible: All IDs that can be in it; others are ignored.
    """

    def __init__(self, possible: Iterable[Sequence[int]]) -> None:
        parts = [part for part in possible if part]
        self._low = min(map(min, parts), default=0)
        self._high = max(map(max, parts), default=-1)
        self._is_sparse = self._high - self._low > MAX_BYTES_PER_ID * sum(map(len, parts))
        self._marks = bytearray(0 if self._is_sparse else self._high - self._low + 1)
        self._keys: set[int] = set()

    def add(self, students: Iterable[int]) -> None:
        """Add these IDs."""
        if self._is_sparse:
            self._keys.update(students)
            return
        low, high, marks = self._low, self._high, self._marks
        for student in students:
            if low <= student <= high:
                marks[student - low] = 1

    def missing_from(self, students: "array[int]") -> Iterator[int]:
        """Yield those of these possible IDs that aren't in it."""
        if self._is_sparse:
            yield from (student for student in students if student not in self._keys)
            return
        low, marks = self._low, self._marks
        yield from (student for student in students if not marks[student - low])
