"""Check byte ranges of a student file: stage rows that differ, and reject invalid ones.

Both checking processes use this. Each batch commits together with the position at which the next
one begins, so a check that was interrupted resumes there.
"""

from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain, count

from django.db import transaction
from django.db.models import F

from rollbook.studentfile.reading import reader
from rollbook.studentfile.reading.header import Header
from rollbook.studentfile.reading.reader import FilePosition, RecordBatch, parse_rows
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

READ_RECORDS = 16_000
"""Records that are read and looked up at a time."""

MAX_UNKNOWN = 4000
"""Unknown records of a batch: they are validated, matched and compared together."""

MAX_RECORDS = 131_072
"""Records of a batch: known ones cost little, but a step must not take long."""

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
        for _ in check_byte_ranges([byte_range], self.update, self.run, self.checker):
            pass


def check_byte_ranges(
    byte_ranges: Iterable[ByteRange], update: UpdateJob, run: str, checker: "RangeChecker"
) -> Iterator[None]:
    """Check the rows of byte ranges, one batch per step.

    Raises:
        Fenced: Another run has taken over the update, or it was canceled.
    """
    batches = chain.from_iterable(_read(each, update, checker.header) for each in byte_ranges)
    for batch in checker.gather(batches):
        result = checker.check_unknown(batch)
        with transaction.atomic():
            _commit(update, run, result, batch, checker.fingerprinter.key)
        yield


def _read(byte_range: ByteRange, update: UpdateJob, header: Header) -> Iterator[RecordBatch]:
    return reader.read_records(
        files.open_stored(update.spool_name),
        encoding=update.detected_encoding,
        header=header,
        start=byte_range.start,
        stop=byte_range.stop,
        size=READ_RECORDS,
    )


def _integers() -> "array[int]":
    return array("q")


@dataclass(slots=True)
class CheckedBatch:
    """Consecutive records that are checked together, of which only the unknown ones are kept.

    Attributes:
        fingerprints: The fingerprint of each record.
        student_ids: The ID of each known record's student, or ``NO_STUDENT``.
        lines: The physical line on which each record begins.
        unknown: The unknown records, in UTF-8.
        positions: Where they are among all records.
        end: The position after the last record.
    """

    fingerprints: "array[int]" = field(default_factory=_integers)
    student_ids: "array[int]" = field(default_factory=_integers)
    lines: "array[int]" = field(default_factory=_integers)
    unknown: list[bytes] = field(default_factory=list)
    positions: "array[int]" = field(default_factory=_integers)
    end: FilePosition = field(default_factory=FilePosition)

    @property
    def unknown_lines(self) -> list[int]:
        """The lines of the unknown records."""
        return [self.lines[at] for at in self.positions]

    def has_room(self, line: int, student_ids: "array[int]") -> bool:
        """Return whether more records can be added: they follow, and aren't too many."""
        return (
            line == self.end.line
            and len(self.lines) + len(student_ids) <= MAX_RECORDS
            and len(self.unknown) + student_ids.count(NO_STUDENT) <= MAX_UNKNOWN
        )

    def add(
        self, batch: RecordBatch, fingerprints: "array[int]", student_ids: "array[int]"
    ) -> None:
        """Add records with their fingerprints and students."""
        first = len(self.lines)
        for position, student in enumerate(student_ids):
            if student == NO_STUDENT:
                self.unknown.append(batch.records[position])
                self.positions.append(first + position)
        self.fingerprints += fingerprints
        self.student_ids += student_ids
        self.lines.extend(batch.lines)
        self.end = batch.end


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

    def gather(self, batches: Iterable[RecordBatch]) -> Iterator[CheckedBatch]:
        """Find out which records are known; yield them in larger batches if most of them are."""
        gathered = CheckedBatch()
        for batch in batches:
            fingerprints = self.fingerprinter.compute(batch.records)
            student_ids = self.known.find(fingerprints)
            unknown = student_ids.count(NO_STUDENT)
            self._records += len(fingerprints)
            self._unknown += unknown
            size = MAX_RECORDS if unknown <= MAX_UNKNOWN else MAX_UNKNOWN
            for first, part in zip(count(0, size), batch.parts(size)):
                ids = student_ids[first : first + size]
                if gathered.lines and not gathered.has_room(part.lines[0], ids):
                    yield gathered
                    gathered = CheckedBatch()
                gathered.add(part, fingerprints[first : first + size], ids)
        if gathered.lines:
            yield gathered

    def check_unknown(self, batch: CheckedBatch) -> RangeResult:
        """Check the unknown records. The known ones are unchanged and not validated."""
        result = RangeResult()
        result.unchanged = result.known = len(batch.lines) - len(batch.unknown)
        if batch.unknown:
            lines = batch.unknown_lines
            fingerprints = (batch.fingerprints[at] for at in batch.positions)
            fingerprints_by_line = dict(zip(lines, fingerprints, strict=True))
            rows = parse_rows(batch.unknown, lines, self.header)
            self._rows.check(rows, fingerprints_by_line, result)
        return result


def _commit(
    update: UpdateJob, run: str, result: RangeResult, batch: CheckedBatch, key: bytes
) -> None:
    """Store the result of a batch. The lock on the update serializes both processes.

    Args:
        update: The update.
        run: The ID of the run that holds the update.
        result: The result.
        batch: The records.
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
    _store_range(update, result, batch, key)


def _store_range(update: UpdateJob, result: RangeResult, batch: CheckedBatch, key: bytes) -> None:
    lines, end = batch.lines, batch.end
    fingerprints = batch.fingerprints.tobytes()
    students, id_bytes = ranges.pack_students(_students(result, batch))
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


def _students(result: RangeResult, batch: CheckedBatch) -> "array[int]":
    """Return the student of each record, as it is stored with the range."""
    students = batch.student_ids[:]
    positions = dict(zip(batch.unknown_lines, batch.positions, strict=True))
    for student, line in zip(result.student_ids, result.line_numbers, strict=True):
        is_clean = line in result.clean_lines
        students[positions[line]] = student if is_clean else -student
    return students
