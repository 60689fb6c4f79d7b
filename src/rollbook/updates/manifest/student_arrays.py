"""Arrays of students' IDs, and how they are stored (pure).

An array has 4 bytes for each ID if none needs more, otherwise 8. The ID of a student whose record
had a problem is negative, and a record without a student has ``NO_STUDENT``. Both are looked for in
the bytes, without an object for each ID: there can be a million.
"""

import re
import sys
from array import array
from collections.abc import Iterable, Iterator

NO_STUDENT = 0
"""The ID of no student."""

Packed = bytes | memoryview
"""An array as a database returns it."""

_TYPE_CODES = {4: "i", 8: "q"}
_NEGATIVE = re.compile(rb"[\x80-\xff]")
_SIGN_BYTE = -1 if sys.byteorder == "little" else 0
"""Which byte of an integer has its sign."""


def pack(students: "array[int]") -> tuple[bytes, int]:
    """Return students as a packed array, and the bytes of each: 4, if no ID needs more."""
    with_ids = _narrow(students)
    return with_ids.tobytes(), with_ids.itemsize


def unpack(packed: Packed, id_bytes: int) -> "array[int]":
    """Return the IDs for which ``pack`` returned this."""
    return array(_TYPE_CODES[id_bytes], bytes(packed))


def join(first: "array[int]", second: "array[int]") -> "array[int]":
    """Return the IDs of both arrays; the first one may be extended for it."""
    if first.typecode != second.typecode:
        second = _narrow(second)
    if first.typecode != second.typecode:
        first, second = _widen(first), _widen(second)
    first += second
    return first


def replace(
    students: "array[int]", positions: Iterable[int], others: Iterable[int]
) -> "array[int]":
    """Return a copy with other IDs at some positions."""
    pairs = list(zip(positions, others, strict=True))
    try:
        return _with(students[:], pairs)
    except OverflowError:
        return _with(_widen(students), pairs)


def zeros(numbers: "array[int]") -> Iterator[int]:
    """Yield the positions of zeros, such as ``NO_STUDENT``."""
    size, packed = numbers.itemsize, numbers.tobytes()
    nothing = bytes(size)
    at = packed.find(nothing)
    while at >= 0:
        if at % size == 0:
            yield at // size
        at = packed.find(nothing, (at // size + 1) * size)


def with_problem(students: "array[int]") -> list[int]:
    """Return the positions of negative IDs."""
    size = students.itemsize
    signs = students.tobytes()[_SIGN_BYTE % size :: size]
    return [match.start() for match in _NEGATIVE.finditer(signs)]


def enrolled(students: "array[int]") -> "array[int]":
    """Return the IDs of students as positive numbers, without the records that have none."""
    negative = with_problem(students)
    positive = replace(students, negative, (-students[position] for position in negative))
    if next(zeros(positive), None) is None:
        return positive
    return array(positive.typecode, filter(None, positive))


def _widen(students: "array[int]") -> "array[int]":
    """Return students with 8 bytes for each ID."""
    return students if students.typecode == "q" else array("q", students)


def _narrow(students: "array[int]") -> "array[int]":
    """Return students with 4 bytes for each ID if no ID needs more."""
    if students.typecode == "i":
        return students
    try:
        return array("i", students)
    except OverflowError:
        return students


def _with(students: "array[int]", pairs: Iterable[tuple[int, int]]) -> "array[int]":
    for position, student in pairs:
        students[position] = student
    return students
