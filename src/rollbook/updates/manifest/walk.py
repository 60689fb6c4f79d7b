"""Find the records of a file among those of an earlier file, in whatever order (pure).

Both files are arrays of fingerprints. Nearly always, long runs of them are equal, which is found by
comparing memory. Where they differ, a window of both shows whether rows were changed, inserted or
removed. Only if it doesn't, an index of the fingerprints that are left is made. A picture is in
docs/decisions/0045-manifest.md.
"""

from array import array
from collections.abc import Iterable
from itertools import chain

from rollbook.updates.manifest.student_arrays import NO_STUDENT

WINDOW = 64
"""Fingerprints of both files that are compared where the files differ."""


class Walk:
    """A walk along the fingerprints of an earlier file, following those of a new one.

    Args:
        fingerprints: The fingerprints of the earlier file.
        students: The ID of the student of each, or ``NO_STUDENT``.
    """

    def __init__(self, fingerprints: "array[int]", students: "array[int]") -> None:
        self.fingerprints, self.students = fingerprints, students
        self._at = 0  # the position in the earlier file
        self._skipped: dict[int, int] = {}  # fingerprints that were passed, and their positions
        self._index: _Index | None = None

    def move_to(self, position: int) -> None:
        """Continue at a position of the earlier file, with the records that follow it."""
        self._at = position

    def find(self, fingerprints: "array[int]") -> "array[int]":
        """Return the student of each fingerprint that the earlier file has, or ``NO_STUDENT``.

        Args:
            fingerprints: The next fingerprints of the new file.
        """
        found, first = array(self.students.typecode), 0
        while first < len(fingerprints):
            equal = self._equal_run(fingerprints, first)
            found += self.students[self._at : self._at + equal]
            first, self._at = first + equal, self._at + equal
            if first == len(fingerprints):
                break
            others = self._resynchronize(fingerprints, first)
            found += others
            first += len(others)
        return found

    def _equal_run(self, fingerprints: "array[int]", first: int) -> int:
        """Return how many fingerprints from here on are equal in both files."""
        length, left = 0, len(fingerprints) - first
        while length < left:
            start, end = self._at + length, first + length
            old = self.fingerprints[start : start + WINDOW]
            new = fingerprints[end : end + WINDOW]
            if old != new:
                shorter = min(len(old), len(new))
                return length + next((at for at in range(shorter) if old[at] != new[at]), shorter)
            length += len(new)
        return length

    def _resynchronize(self, fingerprints: "array[int]", first: int) -> "array[int]":
        """Move to where the files are equal again; return the students up to there."""
        students = array(self.students.typecode)
        if self._index is None:
            window = fingerprints[first : first + WINDOW]
            start = self._at
            ahead = self.fingerprints[start : start + WINDOW]
            for fingerprint in window:
                if fingerprint in ahead:
                    self._at = start + ahead.index(fingerprint)
                    self._skipped.update(zip(ahead, range(start, self._at), strict=False))
                    return students
                position = self._skipped.get(fingerprint)
                students.append(NO_STUDENT if position is None else self.students[position])
            if len(window) < WINDOW:  # the next fingerprints will show it
                return students
            left = range(start, len(self.fingerprints))
            self._index = _Index(self.fingerprints, chain(self._skipped.values(), left))
            del students[:]
        for position in range(first, len(fingerprints)):
            found = self._index.find(fingerprints[position])
            if found is not None:
                self._at = found
                return students
            students.append(NO_STUDENT)
        return students


class _Index:
    """A hash table of positions with open addressing: about 8 bytes each, a dict has over 100."""

    def __init__(self, fingerprints: "array[int]", positions: Iterable[int]) -> None:
        self._fingerprints = fingerprints
        count = len(fingerprints)
        self._mask = (1 << (count + count // 4).bit_length()) - 1
        self._slots = slots = array("I", [0]) * (self._mask + 1)
        for position in positions:
            slot = fingerprints[position] & self._mask
            while slots[slot]:
                slot = (slot + 1) & self._mask
            slots[slot] = position + 1

    def find(self, fingerprint: int) -> int | None:
        """Return a position of the fingerprint, or None."""
        slot = fingerprint & self._mask
        while entry := self._slots[slot]:
            if self._fingerprints[entry - 1] == fingerprint:
                return entry - 1
            slot = (slot + 1) & self._mask
        return None
