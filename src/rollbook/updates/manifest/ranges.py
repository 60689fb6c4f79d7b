"""The records of checked ranges, as packed arrays: their fingerprints, students and lines."""

import hashlib
import zlib
from array import array
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence
from functools import partial
from itertools import accumulate, pairwise

from django.db.models import Count, F, Sum
from django.db.models.functions import Length

from rollbook.db import bulk
from rollbook.updates.manifest import student_arrays
from rollbook.updates.manifest.student_arrays import Packed
from rollbook.updates.models import CheckedRange, UpdateJob

CHECKSUM_BYTES = 8
FILLED_IN_AT_ONCE = 20_000
"""New students after which a step ends."""


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
    """Return the line of each record of a range."""
    if not checked.line_numbers:
        return range(checked.first_line, checked.end_line)
    differences = array("I", zlib.decompress(checked.line_numbers))
    return array("q", accumulate(differences, initial=checked.first_line))


def count_matched(update: UpdateJob) -> int:
    """Return the number of rows of an update that are about an enrolled student."""
    return update.checkedrange_set.aggregate(rows=Sum("matched_rows"))["rows"] or 0


def students_of(update: UpdateJob) -> "array[int]":
    """Return the IDs of the enrolled students whom the rows of an update are about."""
    students = array("i")
    ranges = update.checkedrange_set.order_by("end_line")
    for packed in bulk.one_by_one(ranges.values_list("student_ids", "id_bytes")):
        ids = student_arrays.enrolled(student_arrays.unpack(*packed))
        students = student_arrays.join(students, ids)
    return students


def count_records(update: UpdateJob) -> tuple[int, int]:
    """Return the number of an update's ranges, and that of the records in them."""
    records = Sum(Length("student_ids") / F("id_bytes"), default=0)
    count = update.checkedrange_set.aggregate(ranges=Count("pk"), records=records)
    return count["ranges"], int(count["records"])


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
    lines = lines_of(checked)
    position = bisect_left(lines, line)
    if position == len(lines) or lines[position] != line:
        return None
    return abs(students_in(checked)[position]) or _added_on_line(update, line)


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
    lines, first = sorted(by_line), 0
    stored = update.checkedrange_set
    for pk, end_line in stored.order_by("end_line").values_list("pk", "end_line"):
        last = bisect_left(lines, end_line)
        if first < last:
            checked, within = stored.get(pk=pk), lines[first:last]
            positions = map(partial(bisect_left, lines_of(checked)), within)
            new = map(by_line.__getitem__, within)
            replaced = student_arrays.replace(students_in(checked), positions, new)
            store_students(checked, replaced, key)
        first = last
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


def _added_on_line(update: UpdateJob, line: int) -> int | None:
    """Return the student whom an update has added without completing."""
    for added in update.addedstudents_set.order_by("number").iterator():
        lines = unpack(added.line_numbers)
        if line in lines:
            return abs(unpack(added.student_ids)[lines.index(line)])
    return None
