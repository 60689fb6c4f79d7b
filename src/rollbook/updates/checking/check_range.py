"""Check one byte range of a student file: stage rows that differ, and reject invalid ones.

Both checking processes use this. Each batch commits together with the position at which the next
one begins, so a check that was interrupted resumes there.
"""

from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import compress, count

from django.db import transaction
from django.db.models import F

from rollbook.studentfile.reading import reader
from rollbook.studentfile.reading.header import Header
from rollbook.studentfile.reading.reader import FilePosition, RecordBatch, parse_rows
from rollbook.students.fingerprints import NO_STUDENT, FingerprintIndex, RowFingerprinter
from rollbook.students.fingerprints import confirm as confirm_fingerprints
from rollbook.updates import problem_store, transitions
from rollbook.updates.checking import staged_rows
from rollbook.updates.checking.byte_ranges import ByteRange
from rollbook.updates.checking.row_checker import RangeResult, RowChecker
from rollbook.updates.models import CheckedRange, UpdateJob
from rollbook.updates.receiving import files
from rollbook.updates.state_machine import State

MAX_BATCH_RECORDS = 20_000
"""Records in a batch if the fingerprints of nearly all are known."""

MIN_BATCH_RECORDS = 4000
"""Records in a batch otherwise."""


class RangeWorker:
    """Checks byte ranges in the second process, for as long as the run holds the update."""

    def __init__(self, update_id: int, run: str, known: FingerprintIndex) -> None:
        self.update = UpdateJob.objects.select_related("district").get(pk=update_id)
        self.run = run
        header, _ = Header.parse(self.update.header)
        self.checker = RangeChecker(self.update, header)
        self.checker.known = known

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
                _commit(update, run, result, record_slice.batch.end)
            yield


@dataclass(frozen=True, slots=True)
class RecordSlice:
    """Records with their fingerprints.

    Attributes:
        batch: The records.
        fingerprints: The fingerprint of each record.
        student_ids: For each record, the ID of the student with this fingerprint, or
            ``NO_STUDENT``.
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
        self._fingerprinter = RowFingerprinter(
            update.district_id, header.names, update.file_rules, self._rows.mark_key
        )

    @cached_property
    def known(self) -> FingerprintIndex:
        """The fingerprints of the district's students when the check began."""
        return FingerprintIndex.load(self._district_id)

    def slices(self, batch: RecordBatch) -> Iterator[RecordSlice]:
        """Look up the records' fingerprints; yield one slice if most are known, else several."""
        fingerprints = self._fingerprinter.compute(batch.records)
        student_ids = self.known.lookup(fingerprints)
        if student_ids.count(NO_STUDENT) <= MIN_BATCH_RECORDS:
            yield RecordSlice(batch, fingerprints, student_ids)
            return
        for first, part in zip(count(0, MIN_BATCH_RECORDS), batch.parts(MIN_BATCH_RECORDS)):
            last = first + MIN_BATCH_RECORDS
            yield RecordSlice(part, fingerprints[first:last], student_ids[first:last])

    def check_slice(self, part: RecordSlice) -> RangeResult:
        """Check records. Those whose fingerprint is known are unchanged and not validated."""
        records, lines = part.batch.records, part.batch.lines
        known = array("q", compress(part.student_ids, part.student_ids))
        known_lines = array("q", compress(lines, part.student_ids))
        result = RangeResult(student_ids=known, line_numbers=known_lines)
        result.unchanged = result.known = len(known)
        unknown = [at for at, pk in enumerate(part.student_ids) if pk == NO_STUDENT]
        if unknown:
            unknown_lines = [lines[at] for at in unknown]
            unknown_records = [records[at] for at in unknown]
            fingerprints = (part.fingerprints[at] for at in unknown)
            fingerprints_by_line = dict(zip(unknown_lines, fingerprints, strict=True))
            rows = parse_rows(unknown_records, unknown_lines, self.header)
            self._rows.check(rows, fingerprints_by_line, result)
        return result


def _commit(update: UpdateJob, run: str, result: RangeResult, end: FilePosition) -> None:
    """Store the result of a batch. The lock on the update serializes both processes.

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
    confirm_fingerprints(result.confirmed)
    problem_store.save_problems(update.pk, problems, counts)
    CheckedRange.objects.create(
        update=update,
        end_byte=end.byte,
        end_line=end.line,
        student_ids=result.student_ids.tobytes(),
        line_numbers=result.line_numbers.tobytes(),
    )
