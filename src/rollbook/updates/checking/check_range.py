"""Check byte ranges of a student file: stage rows that differ, and reject invalid ones.

Both checking processes use this. Each batch commits together with the position at which the next
one begins, so a check that was interrupted resumes there.
"""

from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain

from django.db import transaction
from django.db.models import F

from rollbook.db import bulk
from rollbook.studentfile.reading.reader import FilePosition, parse_rows
from rollbook.students import touched
from rollbook.updates import problem_store, transitions
from rollbook.updates.checking import staged_rows
from rollbook.updates.checking.byte_ranges import ByteRange
from rollbook.updates.checking.records import FileReader, Part, RecordFinder
from rollbook.updates.checking.row_checker import RangeResult, RowChecker
from rollbook.updates.checking.staged_groups import NOT_COUNTED, CountedLines, GroupCounter
from rollbook.updates.manifest import manifest, ranges, student_arrays
from rollbook.updates.manifest.fingerprints import RowFingerprinter
from rollbook.updates.manifest.walk import Walk
from rollbook.updates.models import CheckedRange, UpdateJob
from rollbook.updates.state_machine import State

MAX_UNKNOWN = 4000
"""Unknown records of a batch: they are committed together."""

MAX_ROWS = 1000
"""Unknown records that are validated, matched and compared together: rows take much memory."""

MAX_RECORDS = 131_072
"""Records of a batch: known ones cost little, but a step must not take long."""

MANY_UNKNOWN = 1 / 4
"""If a larger share of a file's rows is unknown, a second process is worth its memory."""

FEW_KNOWN = 1 / 50
"""If a smaller share of the file seems to be known, finding it isn't worth the memory."""


@dataclass(slots=True)
class CheckedBatch:
    """Consecutive records that are checked together, of which only the unknown ones are kept.

    Attributes:
        fingerprints: The fingerprint of each record.
        student_ids: The ID of each known record's student, or ``NO_STUDENT``.
        lines: The physical line on which each record begins; a range if each is one line.
        unknown: The unknown records, in UTF-8.
        positions: Where they are among all records.
        end: The position after the last record.
        is_last: Whether no batch follows.
    """

    fingerprints: "array[int]" = field(default_factory=lambda: array("q"))
    student_ids: "array[int]" = field(default_factory=lambda: array("i"))
    lines: Sequence[int] = range(0)
    unknown: list[bytes] = field(default_factory=list)
    positions: "array[int]" = field(default_factory=lambda: array("i"))
    end: FilePosition = field(default_factory=FilePosition)
    is_last: bool = False

    @property
    def unknown_lines(self) -> list[int]:
        """The lines of the unknown records."""
        return [self.lines[at] for at in self.positions]

    def has_room(self, part: Part) -> bool:
        """Return whether a part can be added: it follows, and isn't too large."""
        return not self.lines or (
            part.lines[0] == self.end.line
            and len(self.lines) + len(part.lines) <= MAX_RECORDS
            and len(self.unknown) + len(part.unknown) <= MAX_UNKNOWN
        )

    def add(self, part: Part) -> None:
        """Add a part."""
        first = len(self.lines)
        self.unknown += part.unknown_records
        self.positions.extend(map(first.__add__, part.unknown))
        self.fingerprints += part.fingerprints
        self.student_ids = student_arrays.join(self.student_ids, part.student_ids)
        self._add_lines(part)
        self.end = part.end

    def _add_lines(self, part: Part) -> None:
        """Add the lines of a part, without a number for each if each record is one line."""
        all_lines = range(next(iter(self.lines or part.lines), 0), part.end.line)
        is_each_one = len(all_lines) == len(self.lines) + len(part.lines)
        if is_each_one and isinstance(self.lines, range):
            self.lines = all_lines
            return
        lines = self.lines if isinstance(self.lines, array) else array("q", self.lines)
        lines.extend(part.lines)
        self.lines = lines


def gather(parts: Iterable[Part]) -> Iterator[CheckedBatch]:
    """Yield records in larger batches if most of them are known."""
    gathered = CheckedBatch()
    for part in parts:
        if not gathered.has_room(part):
            yield gathered
            gathered = CheckedBatch()
        gathered.add(part)
    if gathered.lines:
        gathered.is_last = True
        yield gathered


class RangeChecker:
    """Checks byte ranges: known records are unchanged, the others are parsed and checked as rows.

    Args:
        update: The update.
        finds_known: Whether to find out which records are known. If not, all are checked, which has
            the same result.
    """

    def __init__(self, update: UpdateJob, *, finds_known: bool = True) -> None:
        self._update, self._finds_known = update, finds_known
        self._rows = RowChecker(update)
        self.header = self._rows.header
        self.file = FileReader(update, self.header, min(MAX_UNKNOWN, MAX_RECORDS))
        self._records = self._unknown = 0  # so far
        self._groups = GroupCounter()
        self.fingerprinter = RowFingerprinter(
            update.district_id, self.header, update.file_rules, self._rows.mark_key
        )

    def check(self, byte_ranges: Iterable[ByteRange], run: str) -> Iterator[None]:
        """Check the rows of byte ranges, one batch per step.

        Raises:
            Fenced: Another run has taken over the update, or it was canceled.
        """
        for batch in gather(chain.from_iterable(map(self.read, byte_ranges))):
            result = self.check_unknown(batch)
            with transaction.atomic():
                self._commit(run, result, batch)
            yield

    @cached_property
    def known(self) -> Walk:
        """A walk along the records that were known when the check began."""
        if not self._finds_known:
            return manifest.nothing_known()
        return manifest.known_records(self._update.district_id, self.fingerprinter.key)

    @property
    def has_many_unknown(self) -> bool:
        """Whether so many records are unknown that two processes should check the file."""
        many = MANY_UNKNOWN * self._update.rows
        return 2 * self._unknown > self._records or self._unknown > many

    @property
    def has_few_known(self) -> bool:
        """Whether so few records are known that a second process can check all of its records.

        The lots show what the last file has of the rest.
        """
        known = self._records - self._unknown
        return known < FEW_KNOWN * self._records and self._finder.known_share < FEW_KNOWN

    @cached_property
    def _finder(self) -> RecordFinder:
        return RecordFinder(self._update, self.file, self.fingerprinter, self.known)

    def read(self, byte_range: ByteRange) -> Iterator[Part]:
        """Yield the records of a byte range; known ones that the last file has aren't read."""
        for part in self._finder.read(byte_range):
            self._records += len(part.fingerprints)
            self._unknown += len(part.unknown)
            yield part

    def check_unknown(self, batch: CheckedBatch) -> RangeResult:
        """Check the unknown records. The known ones are unchanged and not validated."""
        result = RangeResult()
        result.unchanged = result.known = len(batch.lines) - len(batch.unknown)
        lines = batch.unknown_lines
        for first in range(0, len(lines), MAX_ROWS):
            some = slice(first, first + MAX_ROWS)
            fingerprints = (batch.fingerprints[at] for at in batch.positions[some])
            fingerprints_by_line = dict(zip(lines[some], fingerprints, strict=True))
            rows = parse_rows(batch.unknown[some], lines[some], self.header)
            self._rows.check(rows, fingerprints_by_line, result)
        return result

    def _commit(self, run: str, result: RangeResult, batch: CheckedBatch) -> None:
        """Store the result of a batch. The lock on the update serializes both processes.

        Raises:
            Fenced: Another run has taken over the update, or it was canceled.
        """
        pk = self._update.pk
        transitions.record_progress(
            pk,
            State.CHECKING,
            run,
            rows_read=F("rows_read") + result.known + result.tally.rows,
            rows_staged=F("rows_staged") + len(result.staged),
            rows_rejected=F("rows_rejected") + len(result.rejected),
            rows_unchanged=F("rows_unchanged") + result.unchanged,
            **problem_store.report(self._update, result.tally.problems),
        )
        staged_rows.stage(pk, [*result.staged, *result.rejected])
        touched.settle_compared(pk, result.compared)
        self._store_range(result, batch)

    def _store_range(self, result: RangeResult, batch: CheckedBatch) -> None:
        fingerprints = batch.fingerprints.tobytes()
        students, id_bytes = student_arrays.pack(_students(result, batch))
        counted = self._count(result, batch)
        checked = CheckedRange(
            update=self._update,
            end_byte=batch.end.byte,
            end_line=batch.end.line,
            first_line=batch.lines[0],
            matched_rows=result.known + len(result.students),
            student_ids=students,
            id_bytes=id_bytes,
            line_numbers=ranges.pack_lines(batch.lines, batch.end.line),
            fingerprints=fingerprints,
            checksum=ranges.checksum(self.fingerprinter.key, fingerprints, students),
            groups_from_line=counted.first_line,
            staged_groups=counted.groups,
        )
        bulk.insert_packed(CheckedRange, [checked])

    def _count(self, result: RangeResult, batch: CheckedBatch) -> CountedLines:
        """Count the rows to apply, and return the groups that are to be stored with this range."""
        self._groups.add(batch.lines, batch.end.line, result.staged)
        return self._groups.take() if self._groups.is_full or batch.is_last else NOT_COUNTED


def _students(result: RangeResult, batch: CheckedBatch) -> "array[int]":
    """Return the student of each record, as it is stored with the range."""
    positions = dict(zip(batch.unknown_lines, batch.positions, strict=True))
    checked = map(positions.__getitem__, result.students)
    return student_arrays.replace(batch.student_ids, checked, result.students.values())
