"""The records of checked ranges, as packed arrays: their fingerprints, students and lines."""

import hashlib
import zlib
from array import array
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import accumulate, pairwise

from django.db.models import Count, F, Min, Q, Sum
from django.db.models.functions import Length

from rollbook.db import bulk
from rollbook.updates.manifest import student_arrays
from rollbook.updates.manifest.student_arrays import Packed
from rollbook.updates.models import CheckedRange, UpdateJob

CHECKSUM_BYTES = 8
FILLED_IN_AT_ONCE = 20_000
"""New students after which a step ends."""

_RECORDS = Length("student_ids") / F("id_bytes")


def checksum(key: bytes, *arrays: Packed) -> bytes:
    """Return a keyed hash of packed arrays.

    Args:
        key: The key of the fingerprints: under another one, nothing is known.
        arrays: The arrays.
    """
    keyed_hash = hashlib.blake2b(key=key, digest_size=CHECKSUM_BYTES)
    for data in arrays:
        keyed_hash.update(len(data).to_bytes(8, "little"))
        keyed_hash.update(data)
    return keyed_hash.digest()


def unpack(packed: Packed) -> "array[int]":
    """Return an array of 64-bit integers."""
    return array("q", bytes(packed))


def students_in(checked: CheckedRange) -> "array[int]":
    """Return the student of each record of a range; negative if the record had a problem."""
    return student_arrays.unpack(checked.student_ids, checked.id_bytes)


def pack_lines(lines: Sequence[int], end_line: int) -> bytes:
    """Return the lines of a range's records, or nothing if each record is one line.

    What is packed are the differences, nearly all of which are 1.

    Args:
        lines: The line on which each record begins.
        end_line: The line after the last record.
    """
    if not lines or end_line - lines[0] == len(lines):
        return b""
    return zlib.compress(array("I", (b - a for a, b in pairwise(lines))).tobytes())


def lines_of(checked: CheckedRange) -> Sequence[int]:
    """Return the line of each record of a range, or of those that an earlier release stored."""
    if not checked.first_line:
        return unpack(checked.line_numbers)
    if not checked.line_numbers:
        return range(checked.first_line, checked.end_line)
    differences = array("I", zlib.decompress(checked.line_numbers))
    return array("q", accumulate(differences, initial=checked.first_line))


def count_matched(update: UpdateJob) -> int:
    """Return the number of rows of an update that are about an enrolled student."""
    earlier = Sum(_RECORDS, filter=Q(first_line=0), default=0)  # of a release without manifest
    count = update.checkedrange_set.aggregate(rows=Sum("matched_rows", default=0), earlier=earlier)
    return int(count["rows"] + count["earlier"])


def students_of(update: UpdateJob) -> "array[int]":
    """Return the IDs of the enrolled students whom the rows of an update are about."""
    students = array("i")
    ranges = update.checkedrange_set.order_by("end_line")
    for packed in bulk.one_by_one(ranges.values_list("student_ids", "id_bytes")):
        ids = student_arrays.enrolled(student_arrays.unpack(*packed))
        students = student_arrays.join(students, ids)
    return students


def count_records(update: UpdateJob) -> tuple[int, int]:
    """Return the number of an update's ranges, and that of the records in them.

    Both are 0 if a release that had no manifest checked a part, during the upgrade. Such ranges
    have no fingerprints, and only those records that are about an enrolled student.
    """
    stored = update.checkedrange_set
    count = stored.aggregate(ranges=Count("pk"), rows=Sum(_RECORDS), first=Min("first_line"))
    return (count["ranges"], int(count["rows"])) if count["first"] else (0, 0)


def lines_of_students(update: UpdateJob, students: set[int]) -> dict[int, list[int]]:
    """Return the lines of these students' rows, by student."""
    lines: defaultdict[int, list[int]] = defaultdict(list)
    for checked in update.checkedrange_set.defer("fingerprints").order_by("end_line").iterator():
        for student, line in zip(students_in(checked), lines_of(checked), strict=True):
            if abs(student) in students:
                lines[abs(student)].append(line)
    return lines


def student_on_line(update: UpdateJob, line: int) -> int | None:
    """Return the ID of the student whom a row was about.

    Args:
        update: The update; it need not have completed.
        line: The row's line in its file.

    Returns:
        The ID of the student, who may have been deleted since. None: the row has no student, or
        the update didn't get there, or its details have expired.
    """
    following = update.checkedrange_set.filter(end_line__gt=line).defer("fingerprints")
    checked = following.order_by("end_line").first()
    if checked is None or line < checked.first_line:
        return None
    position = _position(lines_of(checked), line)
    student = 0 if position is None else abs(students_in(checked)[position])
    return student or _added_on_line(update, line)


def fill_in(update: UpdateJob, key: bytes) -> bool:
    """Move the new students of the next chunks into the ranges of their lines.

    Args:
        update: The update.
        key: The key of the update's fingerprints.

    Returns:
        Whether there were any.
    """
    by_line: dict[int, int] = {}
    done = []
    for added in update.addedstudents_set.order_by("number").iterator(chunk_size=4):
        by_line.update(zip(unpack(added.line_numbers), unpack(added.student_ids), strict=True))
        done.append(added.pk)
        if len(by_line) >= FILLED_IN_AT_ONCE:
            break
    for pk, lines in _lines_by_range(update, by_line).items():
        checked = update.checkedrange_set.get(pk=pk)
        students, all_lines = students_in(checked), lines_of(checked)
        new: dict[int, int] = {}
        for line in lines:
            position = _position(all_lines, line)
            if position is not None:
                new[position] = by_line[line]
        store_students(checked, student_arrays.replace(students, new, new.values()), key)
    update.addedstudents_set.filter(pk__in=done).delete()
    return bool(done)


def store_students(checked: CheckedRange, students: "array[int]", key: bytes) -> None:
    """Replace the students of a stored range.

    Args:
        checked: The range, with its fingerprints.
        students: The student of each record.
        key: The key of the fingerprints.
    """
    checked.student_ids, checked.id_bytes = student_arrays.pack(students)
    checked.checksum = checksum(key, checked.fingerprints, checked.student_ids)
    checked.save(update_fields=["student_ids", "id_bytes", "checksum"])


def _lines_by_range(update: UpdateJob, lines: Iterable[int]) -> dict[int, list[int]]:
    """Return which of these lines are in which range, by the range's primary key."""
    stored = update.checkedrange_set.order_by("end_line").values_list("end_line", "pk")
    pks = dict(stored)
    ends = list(pks)
    found: defaultdict[int, list[int]] = defaultdict(list)
    for line in lines:
        index = bisect_right(ends, line)
        if index < len(ends):
            found[pks[ends[index]]].append(line)
    return found


def _position(lines: Sequence[int], line: int) -> int | None:
    """Return where a line is among ascending lines."""
    if isinstance(lines, range):
        return lines.index(line) if line in lines else None
    position = bisect_left(lines, line)
    return position if position < len(lines) and lines[position] == line else None


def _added_on_line(update: UpdateJob, line: int) -> int | None:
    """Return the student whom an update has added without completing."""
    for added in update.addedstudents_set.order_by("number").iterator():
        lines = unpack(added.line_numbers)
        if line in lines:
            return abs(unpack(added.student_ids)[lines.index(line)])
    return None
