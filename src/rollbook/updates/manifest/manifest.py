"""The manifest of a district: the records of its last completed file, and their students.

A record is *known* if the manifest has its fingerprint and its student isn't touched
(``students/touched.py``). It was accepted before, under the same header and by the same rules, and
its student is what it says: so it changes nothing and isn't even parsed. A manifest consists of the
ranges of the update that completed last, and is replaced in the transaction that completes another
one. One that is damaged, or of another header, key or version, counts as absent: the check then
takes longer, and its result is the same. Why, and a picture: docs/decisions/0045-manifest.md.
"""

import logging
from array import array
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field

from django.db import transaction
from django.db.models import F, QuerySet

from rollbook.accounts.district_keys import DistrictKeyLost
from rollbook.db import bulk
from rollbook.secret_keys import fingerprint as key_id
from rollbook.students import touched
from rollbook.students.models import Student
from rollbook.updates import transitions
from rollbook.updates.manifest import ranges, student_arrays
from rollbook.updates.manifest.fingerprints import RowFingerprinter
from rollbook.updates.manifest.student_arrays import NO_STUDENT
from rollbook.updates.manifest.walk import Walk
from rollbook.updates.models import CheckedRange, Manifest, UpdateJob
from rollbook.updates.row_outcomes import FIRST_WITHOUT_LINE
from rollbook.updates.state_machine import UNFINISHED, Mode, State

MAX_TOUCHED, MAX_TOUCHED_SHARE = 1000, 0.25
"""If more students are touched, and more than this share, nothing is known."""

MIN_SHARE = 0.5
"""A file with another header replaces the manifest only if it has this share of its records."""

ROWS_PER_STEP = 5000

_ID_BYTES = 8  # of a fingerprint, and of a carried student's ID

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Records:
    """Records and their students, in parallel arrays.

    Attributes:
        fingerprints: The fingerprint of each record.
        students: The ID of each record's student; one that isn't positive is not to be known.
    """

    fingerprints: "array[int]" = field(default_factory=lambda: array("q"))
    students: "array[int]" = field(default_factory=lambda: array("i"))

    def add(self, other: "Records") -> None:
        """Add other records."""
        self.fingerprints += other.fingerprints
        self.students = student_arrays.join(self.students, other.students)

    def at(self, positions: Iterable[int]) -> "Records":
        """Return the records at some positions."""
        chosen = list(positions)
        return Records(
            array("q", map(self.fingerprints.__getitem__, chosen)),
            array(self.students.typecode, map(self.students.__getitem__, chosen)),
        )


class Damaged(Exception):
    """A manifest isn't what was stored."""


def find(district_id: int, key: bytes) -> Manifest | None:
    """Return the manifest of a district if it is one of files with this key."""
    return Manifest.objects.filter(district=district_id, key=key_id(key)).first()


def count_carried(manifest: Manifest) -> int:
    """Return the number of the records of earlier files; they are the last ones of a manifest."""
    return len(manifest.carried_student_ids) // _ID_BYTES


def known_records(district_id: int, key: bytes) -> Walk:
    """Return a walk along the records that are known of a district.

    Args:
        district_id: The district.
        key: The key of the file's fingerprints.
    """
    manifest = find(district_id, key)
    if manifest is None:
        return nothing_known()
    # After the manifest: a student who is touched in between isn't known.
    limit = max(MAX_TOUCHED, int(MAX_TOUCHED_SHARE * manifest.rows))
    forget = touched.find(district_id, manifest.update_id, limit + 1)
    if len(forget) > limit:
        return nothing_known()
    try:
        records = read(manifest, key)
    except Damaged as error:
        log.warning("the manifest of district %d is not used: %s", district_id, error)
        return nothing_known()
    students = records.students
    for position in student_arrays.with_problem(students):
        students[position] = NO_STUDENT
    if forget and not forget.isdisjoint(students):
        for position, student in enumerate(students):
            if student in forget:
                students[position] = NO_STUDENT
    return Walk(records.fingerprints, students)


def read(manifest: Manifest, key: bytes) -> Records:
    """Return all records of a manifest.

    Raises:
        Damaged: It isn't what was stored under this key.
    """
    records, count = Records(), 0
    for part in _parts(manifest, CheckedRange.objects.all()):
        records.add(_unpack(part, key))
        count += 1
    if count <= manifest.ranges:
        raise Damaged(f"{count - 1} of {manifest.ranges} ranges are there")
    return records


def is_damaged(update: UpdateJob) -> bool:
    """Return whether records of a completed update are missing, or don't match its manifest."""
    manifest = Manifest.objects.filter(update=update).first()
    key = _current_key(manifest) if manifest else None
    if manifest is None or key is None:
        return ranges.count_records(update)[1] < update.rows
    try:
        read(manifest, key)
    except Damaged:
        return True
    return False


def _current_key(manifest: Manifest) -> bytes | None:
    """Return the key of a manifest; None if it is that of another version, or lost."""
    try:
        key = RowFingerprinter.of_update(manifest.update).key
    except DistrictKeyLost:
        return None
    return key if key_id(key) == manifest.key else None


def _parts(manifest: Manifest, stored: QuerySet[CheckedRange]) -> Iterator[CheckedRange]:
    """Yield the ranges of a manifest, with the carried records as the last one."""
    yield from bulk.one_by_one(stored.filter(update=manifest.update_id).order_by("end_line"))
    yield CheckedRange(
        fingerprints=manifest.carried_fingerprints,
        student_ids=manifest.carried_student_ids,
        id_bytes=_ID_BYTES,
        checksum=manifest.checksum,
    )


def _unpack(part: CheckedRange, key: bytes) -> Records:
    """Return the records of a range.

    Raises:
        Damaged: They aren't what was stored under this key.
    """
    if len(part.fingerprints) * part.id_bytes != len(part.student_ids) * _ID_BYTES:
        raise Damaged("the lengths of two arrays differ")
    if ranges.checksum(key, part.fingerprints, part.student_ids) != bytes(part.checksum):
        raise Damaged("a checksum is wrong")
    return _records_of(part)


def _records_of(part: CheckedRange) -> Records:
    return Records(ranges.unpack(part.fingerprints), ranges.students_in(part))


def nothing_known() -> Walk:
    """Return a walk along no records, so none is known."""
    return Walk(array("q"), array("q"))


def remove_settled(update: UpdateJob) -> Iterator[None]:
    """Remove the students that the update of the district's manifest has settled.

    They are no longer touched, and would be again with the next manifest.
    """
    settled_by = Manifest.objects.filter(district=update.district_id).values_list(
        "update", flat=True
    )
    for update_id in settled_by:
        while touched.remove_settled(update.district_id, update_id):
            yield


# Completing an update


def steps(update: UpdateJob, run: str) -> Iterator[None]:
    """Prepare the manifest of an update whose rows are all applied, one transaction per step.

    Raises:
        Fenced: Another run has taken over the update, or it was canceled.
    """
    while update.mode != Mode.UPDATE and update.addedstudents_set.exists():
        key = RowFingerprinter.of_update(update).key
        with transaction.atomic():
            same = F("rows_read")  # without a counter it wouldn't count as progress
            transitions.record_progress(update.pk, State.APPLYING, run, rows_read=same)
            ranges.fill_in(update, key)
        yield
    # Rows that were to change their student, and then weren't applied as they were checked.
    unapplied = update.stagedrow_set.exclude(outcome=None).exclude(student=None)
    lines = unapplied.exclude(fingerprint=None).order_by("line").values_list("line", "student_id")
    last = 0
    while rows := list(lines.filter(line__gt=last)[:ROWS_PER_STEP]):
        with transaction.atomic():
            transitions.record_progress(update.pk, State.APPLYING, run)
            touched.touch({student for _, student in rows})
        last = rows[-1][0]
        yield


def prepare(update: UpdateJob) -> Manifest | None:
    """Return the manifest of an update that is about to complete.

    None leaves the district's manifest as it is, and students to whom the file was applied stay
    touched: after a small file with another header, or if its plan has waited while another update
    completed.
    """
    if update.planned_at and _has_another_completed(update):
        return None
    key = RowFingerprinter.of_update(update).key
    manifest = Manifest(district_id=update.district_id, update=update, key=key_id(key))
    manifest.ranges, rows = ranges.count_records(update)
    if not manifest.ranges:
        return None
    carried = Records()
    old = Manifest.objects.filter(district=update.district_id).first()
    if old and old.key == manifest.key:
        if count_carried(old) or not update.same_as:
            carried = _carried(old, key, update)
    elif old and rows < MIN_SHARE * old.rows:
        return None
    manifest.rows = rows + len(carried.students)
    _carry(manifest, carried, key)
    return manifest


def _has_another_completed(update: UpdateJob) -> bool:
    """Return whether another update has completed since this one was checked.

    The marks of the students whom it has settled may be removed already.
    """
    completed = UpdateJob.objects.filter(
        district=update.district_id, state=State.COMPLETED, ended_at__gte=update.started_at
    )
    return completed.exclude(pk=update.pk).exists()


def _carried(old: Manifest, key: bytes, update: UpdateJob) -> Records:
    """Return the records of a manifest whose students an update's file doesn't contain.

    Those of students whom the update has deactivated because the file doesn't name them are left
    out: a row that names one is compared, whatever it says.
    """
    removed = update.stagedrow_set.filter(line__gte=FIRST_WITHOUT_LINE, outcome=None)
    gone = set(removed.values_list("student_id", flat=True))
    of_file = ranges.students_of(update)
    walk, left = Walk(of_file, of_file), Records()
    try:  # fingerprints are two thirds of a manifest, and few are needed
        for part in _parts(old, CheckedRange.objects.defer("fingerprints")):
            students = ranges.students_in(part)
            missing = {*student_arrays.zeros(walk.find(students))}
            missing -= {*student_arrays.with_problem(students), *student_arrays.zeros(students)}
            if missing:
                left.add(_unpack(part, key).at(sorted(missing)))
    except (Damaged, ValueError, KeyError):
        return Records()
    if not left.students:
        return left
    # The walk doesn't find those who are elsewhere in the file.
    fewer, others = sorted((left.students, of_file), key=len)
    gone.update(set(fewer).intersection(others))
    return left.at(at for at, student in enumerate(left.students) if student not in gone)


def replace(manifest: Manifest) -> None:
    """Replace the district's manifest, in the transaction that completes the update.

    The fingerprints and lots of the old one are leftovers from then on.
    """
    old = Manifest.objects.filter(district=manifest.district_id).values("update")
    UpdateJob.objects.filter(pk__in=old).update(leftovers_removed_at=None)
    manifest.save()


def forget(students: Collection[int]) -> None:
    """Remove the records of students of one district, who are being deleted."""
    district = Student.objects.filter(pk__in=students).values("district")[:1]
    manifest = Manifest.objects.select_related("update__district").filter(district=district).first()
    if manifest is None:
        return
    ended = UpdateJob.objects.filter(district=manifest.district_id).exclude(state__in=UNFINISHED)
    older = ended.filter(leftovers_removed_at=None).exclude(pk=manifest.update_id)
    CheckedRange.objects.filter(update__in=older).update(fingerprints=b"")
    key = _current_key(manifest)
    if key is None:  # no record is known anyway
        manifest.update.checkedrange_set.update(fingerprints=b"")
        manifest.delete()
        return
    for part in _parts(manifest, CheckedRange.objects.all()):
        records = _records_of(part)
        if not _forget(students, records):
            continue
        if part.pk is None:
            _carry(manifest, records, key)
            manifest.save()
        else:
            part.fingerprints = records.fingerprints.tobytes()
            part.save(update_fields=["fingerprints"])
            ranges.store_students(part, records.students, key)


def _forget(students: Collection[int], records: Records) -> bool:
    """Remove students from records; return whether they contained any of them."""
    forgotten = {*students, *(-student for student in students)}
    if forgotten.isdisjoint(records.students):
        return False
    for position, student in enumerate(records.students):
        if student in forgotten:
            records.students[position] = NO_STUDENT
            records.fingerprints[position] = 0
    return True


def _carry(manifest: Manifest, records: Records, key: bytes) -> None:
    manifest.carried_fingerprints = records.fingerprints.tobytes()
    manifest.carried_student_ids = array("q", records.students).tobytes()
    manifest.checksum = ranges.checksum(
        key, manifest.carried_fingerprints, manifest.carried_student_ids
    )
