"""Check one byte range of a student file: stage rows that differ, and reject invalid ones.

Both checking processes use this. Each batch commits together with the position at which the next
one begins, so a check that was interrupted resumes there.
"""

from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import count

from django.db import transaction
from django.db.models import F

from rollbook.studentfile.reading import reader
from rollbook.studentfile.reading.header import Header
from rollbook.studentfile.reading.reader import RecordBatch, parse_rows
from rollbook.students import touched
from rollbook.updates import problem_store, transitions
from rollbook.updates.checking import staged_rows
from rollbook.updates.checking.byte_ranges import ByteRange
from rollbook.updates.checking.row_checker import RangeResult, RowChecker
from rollbook.updates.manifest import manifest, ranges
from rollbook.updates.manifest.fingerprints import RowFingerprinter
from rollbook.updates.manifest.walk import NO_STUDENT, Walk
from rollbook.updates.models import CheckedRange, UpdateJob
from rollbook.updates.receiving import files
from rollbook.updates.state_machine import State

MAX_BATCH_RECORDS = 16_000
"""Records in a batch if nearly all are known."""

MIN_BATCH_RECORDS = 4000
"""Records in a batch otherwise."""

MANY_RECORDS = 20_000
"""Checking so many unknown records takes longer than starting a process."""


class RangeWorker:
    """Checks byte ranges in the second process, for as long as the run holds the update."""

    def __init__(self, update_id: int, run: str) -> None:
        self.update = UpdateJob.objects.select_related("district").get(pk=update_id)
        self.run = run
        self.checker = RangeChecker(self.update, self.update.parse_header())

    def check(self, byte_range: ByteRange) -> None:
        """Check one byte range.

        Raises:
            Fenced: Another run has taken over the update, or it was canceled.
        """
        for _ in check_byte_range(byte_range, self.update, self.run, self.checker):
            pass


def check_byte_range(
    byte_range: ByteRange, update: UpdateJob, run: str, checker: "RangeChecker"
) -> Iterator[None]:
    """Check the rows of one byte range, one batch per step.

    Raises:
        Fenced: Another run has taken over the update, or it was canceled.
    """
    batches = reader.read_records(
        files.open_stored(update.spool_name),
        encoding=update.detected_encoding,
        header=checker.header,
        start=byte_range.start,
        stop=byte_range.stop,
        size=MAX_BATCH_RECORDS,
    )
    for batch in batches:
        for record_slice in checker.slices(batch):
            result = checker.check_slice(record_slice)
            with transaction.atomic():
                _commit(update, run, result, record_slice, checker.fingerprinter.key)
            yield


@dataclass(frozen=True, slots=True)
class RecordSlice:
    """Records with their fingerprints.

    Attributes:
        batch: The records.
        fingerprints: The fingerprint of each record.
        student_ids: The ID of each known record's student, or ``NO_STUDENT``.
    """

    batch: RecordBatch
    fingerprints: "array[int]"
    student_ids: "array[int]"


class RangeChecker:
    """Checks records: known ones are unchanged, the others are parsed and checked as rows."""

    def __init__(self, update: UpdateJob, header: Header) -> None:
        self._district_id = update.district_id
        self.header = header
        self._rows = RowChecker(update, header)
        self._records = self._unknown = 0  # so far
        self.fingerprinter = RowFingerprinter(
            update.district_id,
            header.names,
            update.file_rules,
            self._rows.mark_key,
            header.reading.mapping if header.reading else None,
        )

    @cached_property
    def known(self) -> Walk:
        """A walk along the records that were known when the check began."""
        return manifest.known_records(self._district_id, self.fingerprinter.key)

    @property
    def has_many_unknown(self) -> bool:
        """Whether so many records are unknown that two processes should check the file."""
        return self._unknown >= MANY_RECORDS or 2 * self._unknown > self._records

    def slices(self, batch: RecordBatch) -> Iterator[RecordSlice]:
        """Find out which records are known; yield one slice if most of them are, else several."""
        fingerprints = self.fingerprinter.compute(batch.records)
        student_ids = self.known.find(fingerprints)
        unknown = student_ids.count(NO_STUDENT)
        self._records += len(fingerprints)
        self._unknown += unknown
        if unknown <= MIN_BATCH_RECORDS:
            yield RecordSlice(batch, fingerprints, student_ids)
            return
        for first, part in zip(count(0, MIN_BATCH_RECORDS), batch.parts(MIN_BATCH_RECORDS)):
            last = first + MIN_BATCH_RECORDS
            yield RecordSlice(part, fingerprints[first:last], student_ids[first:last])

    def check_slice(self, part: RecordSlice) -> RangeResult:
        """Check records. Those that are known are unchanged and not validated."""
        records, lines = part.batch.records, part.batch.lines
        result = RangeResult()
        unknown = [at for at, pk in enumerate(part.student_ids) if pk == NO_STUDENT]
        result.unchanged = result.known = len(records) - len(unknown)
        if unknown:
            unknown_lines = [lines[at] for at in unknown]
            unknown_records = [records[at] for at in unknown]
            fingerprints = (part.fingerprints[at] for at in unknown)
            fingerprints_by_line = dict(zip(unknown_lines, fingerprints, strict=True))
            rows = parse_rows(unknown_records, unknown_lines, self.header)
            self._rows.check(rows, fingerprints_by_line, result)
        return result


def _commit(
    update: UpdateJob, run: str, result: RangeResult, part: RecordSlice, key: bytes
) -> None:
    """Store the result of a batch. The lock on the update serializes both processes.

    Args:
        update: The update.
        run: The ID of the run that holds the update.
        result: The result.
        part: The records.
        key: The key of their fingerprints.

    Raises:
        Fenced: Another run has taken over the update, or it was canceled.
    """
    locked = UpdateJob.objects.select_for_update(no_key=True).filter(pk=update.pk)
    counts = locked.values_list("problem_counts", flat=True).get()
    problems = result.tally.problems
    transitions.record_progress(
        update.pk,
        State.CHECKING,
        run,
        rows_read=F("rows_read") + result.known + result.tally.rows,
        rows_staged=F("rows_staged") + len(result.staged),
        rows_rejected=F("rows_rejected") + len(result.rejected),
        rows_unchanged=F("rows_unchanged") + result.unchanged,
        problem_counts=problem_store.counts(problems, counts),
    )
    staged_rows.stage(update.pk, [*result.staged, *result.rejected])
    touched.settle_compared(update.pk, result.compared)
    problem_store.save_problems(update.pk, problems, counts)
    _store_range(update, result, part, key)


def _store_range(update: UpdateJob, result: RangeResult, part: RecordSlice, key: bytes) -> None:
    lines, end = part.batch.lines, part.batch.end
    fingerprints = part.fingerprints.tobytes()
    students, id_bytes = ranges.pack_students(_students(result, part))
    CheckedRange.objects.create(
        update=update,
        end_byte=end.byte,
        end_line=end.line,
        first_line=lines[0],
        matched_rows=result.known + len(result.student_ids),
        student_ids=students,
        id_bytes=id_bytes,
        line_numbers=ranges.pack_lines(lines, end.line),
        fingerprints=fingerprints,
        checksum=ranges.checksum(key, fingerprints, students),
    )


def _students(result: RangeResult, part: RecordSlice) -> "array[int]":
    """Return the student of each record, as it is stored with the range."""
    students = part.student_ids[:]
    if not result.student_ids:
        return students
    positions = dict(zip(part.batch.lines, count()))
    for student, line in zip(result.student_ids, result.line_numbers, strict=True):
        is_clean = line in result.clean_lines
        students[positions[line]] = student if is_clean else -student
    return students
