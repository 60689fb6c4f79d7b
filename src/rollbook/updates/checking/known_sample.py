"""Compare a random sample of known records with their students, as if they were unknown.

A difference shows that something changed a student without the triggers.
"""

import random
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from zoneinfo import ZoneInfoNotFoundError

from rollbook.accounts.district_keys import DistrictKeyLost
from rollbook.districts.models import District
from rollbook.encrypted_file import FileDamaged
from rollbook.secret_keys import KeyUnusable
from rollbook.studentfile.reading.reader import FilePosition
from rollbook.updates.checking.byte_ranges import ByteRange
from rollbook.updates.checking.check_range import CheckedBatch, RangeChecker
from rollbook.updates.manifest import manifest, ranges
from rollbook.updates.manifest.student_arrays import NO_STUDENT
from rollbook.updates.models import CheckedRange, Manifest
from rollbook.updates.receiving.files import FileMissing

_REPORTED_ELSEWHERE = (
    FileMissing,
    FileDamaged,
    DistrictKeyLost,
    KeyUnusable,
    ZoneInfoNotFoundError,
)
"""What prevents a comparison, and is found by another check."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """The result of comparing records of one district.

    Attributes:
        district: The district.
        compared: The number of records.
        wrong: The number of those that differ from their student.
    """

    district: District
    compared: int
    wrong: int


def compare(size: int) -> Iterator[Comparison]:
    """Compare a random sample of known records, those of one range for each district.

    Where a record differs, nothing of the district counts as known anymore.

    Args:
        size: The number of records.
    """
    stored = Manifest.objects.filter(update__file_removed_at=None)
    for each in sorted(stored.select_related("update__district"), key=lambda _: random.random()):  # noqa: S311
        if size <= 0:
            return
        try:
            comparison = _compare(each, size)
        except _REPORTED_ELSEWHERE:
            continue
        size -= comparison.compared
        yield comparison


def _compare(stored: Manifest, size: int) -> Comparison:
    update = stored.update
    checker = RangeChecker(update)
    sample = _sample(stored, checker, size)
    result = checker.check_unknown(sample)
    # Students who were changed after the sample was drawn aren't known anymore.
    known = _known_students(stored, checker)
    wrong = sum(row.student_id in known for row in result.staged)
    if wrong:
        Manifest.objects.filter(district=stored.district_id, update=update).delete()
    return Comparison(update.district, len(sample.lines), wrong)


def _known_students(stored: Manifest, checker: RangeChecker) -> set[int]:
    key = checker.fingerprinter.key
    return set(manifest.known_records(stored.district_id, key).students) - {NO_STUDENT}


def _sample(stored: Manifest, checker: RangeChecker, size: int) -> CheckedBatch:
    """Draw known records of a random range, in the order of the file."""
    drawn: list[tuple[int, bytes]] = []
    parts = stored.update.checkedrange_set
    if pks := list(parts.values_list("pk", flat=True)):
        checked = parts.get(pk=random.choice(pks))  # noqa: S311
        known = _known_lines(checked, _known_students(stored, checker))
        records = [each for each in _records(checked, checker) if each[0] in known]
        drawn = sorted(random.sample(records, min(size, len(records))))
    lines, records_drawn = [line for line, _ in drawn], [record for _, record in drawn]
    nothing = array("q", [NO_STUDENT]) * len(drawn)
    return CheckedBatch(nothing, nothing, lines, records_drawn, array("i", range(len(drawn))))


def _known_lines(checked: CheckedRange, known: set[int]) -> set[int]:
    """Return the lines of a range's records whose students are known."""
    students = ranges.students_in(checked)
    lines = zip(ranges.lines_of(checked), students, strict=True)
    return {line for line, student in lines if student in known}


def _records(checked: CheckedRange, checker: RangeChecker) -> Iterator[tuple[int, bytes]]:
    """Yield the line and the bytes of each record of a range."""
    earlier = CheckedRange.objects.filter(update=checked.update_id, end_line__lt=checked.end_line)
    previous = earlier.order_by("end_line").values_list("end_byte", "end_line").last()
    start = FilePosition(*previous) if previous else None
    stop = FilePosition(checked.end_byte, checked.end_line)
    for batch in checker.file.read(ByteRange(start, stop)):
        yield from zip(batch.lines, batch.records, strict=True)
