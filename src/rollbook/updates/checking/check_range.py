"""Check one byte range of a student file: stage rows that differ, and reject invalid ones.

Both checking processes use this. Each batch commits together with the position at which the next
one begins, so a check that was interrupted resumes there.
"""

from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import count

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from rollbook.accounts.auth.token_limits import TokenLimits
from rollbook.districts.local_dates import local_date
from rollbook.studentfile.columns import REQUIRED_TO_ADD
from rollbook.studentfile.file_validator import validate_rows
from rollbook.studentfile.problems.problem import Problem
from rollbook.studentfile.problems.tally import ProblemTally
from rollbook.studentfile.reading import reader
from rollbook.studentfile.reading.header import Header
from rollbook.studentfile.reading.reader import RawRow, RecordBatch, parse_rows
from rollbook.studentfile.row_validator import (
    RowValidator,
    ValidatedRow,
    fill_one_name,
    missing_required_values,
)
from rollbook.studentfile.values.names import ONE_NAME
from rollbook.students import matching, similar_ids, snapshots, touched, writer
from rollbook.students.diff import diff
from rollbook.students.matching import Match, StudentMatcher
from rollbook.students.snapshots import StudentSnapshot
from rollbook.students.touched import ComparedStudent
from rollbook.updates import password_marks, problem_store, transitions
from rollbook.updates.checking import staged_rows
from rollbook.updates.checking.byte_ranges import ByteRange
from rollbook.updates.checking.group_cells import GroupCells
from rollbook.updates.checking.plausible_dates import check_birth_date
from rollbook.updates.checking.references import ReferenceChecker
from rollbook.updates.checking.staged_rows import StagedRowTuple
from rollbook.updates.manifest import manifest, ranges
from rollbook.updates.manifest.fingerprints import RowFingerprinter
from rollbook.updates.manifest.walk import NO_STUDENT, Walk
from rollbook.updates.models import CheckedRange, UpdateJob
from rollbook.updates.receiving import files
from rollbook.updates.state_machine import Mode, State

MAX_BATCH_RECORDS = 16_000
"""Records in a batch if nearly all are known."""

MIN_BATCH_RECORDS = 4000
"""Records in a batch otherwise."""

MANY_RECORDS = 20_000
"""Checking so many unknown records takes longer than starting a process."""


def _empty_array() -> "array[int]":
    return array("q")


@dataclass(slots=True)
class RangeResult:
    """The result of checking one batch of records.

    Attributes:
        staged: The rows to apply.
        rejected: The rejected rows.
        unchanged: The number of rows that don't change their student.
        known: The number of known records, which are not parsed.
        tally: The counts and problems of the rows that were validated.
        compared: The students of validated rows that don't change them and have no problem.
        clean_lines: The lines of validated rows without a problem.
        student_ids: The IDs of the enrolled students that validated rows match.
        line_numbers: The lines of these rows, in the same order.
    """

    staged: list[StagedRowTuple] = field(default_factory=list)
    rejected: list[StagedRowTuple] = field(default_factory=list)
    unchanged: int = 0
    known: int = 0
    tally: ProblemTally = field(default_factory=ProblemTally)
    compared: list[ComparedStudent] = field(default_factory=list)
    clean_lines: set[int] = field(default_factory=set)
    student_ids: "array[int]" = field(default_factory=_empty_array)
    line_numbers: "array[int]" = field(default_factory=_empty_array)

    def students_of(self, part: "RecordSlice") -> "array[int]":
        """Return the student of each record, as it is stored with the range."""
        students = part.student_ids[:]
        if not self.student_ids:
            return students
        positions = dict(zip(part.batch.lines, count()))
        for student, line in zip(self.student_ids, self.line_numbers, strict=True):
            is_clean = line in self.clean_lines
            students[positions[line]] = student if is_clean else -student
        return students


class RangeWorker:
    """Checks byte ranges in the second process, for as long as the run holds the update."""

    def __init__(self, update_id: int, run: str) -> None:
        self.update = UpdateJob.objects.select_related("district").get(pk=update_id)
        self.run = run
        header, _ = Header.parse(self.update.header)
        self.checker = RowChecker(self.update, header)

    def check(self, byte_range: ByteRange) -> None:
        """Check one byte range.

        Raises:
            Fenced: Another run has taken over the update, or it was canceled.
        """
        for _ in check_byte_range(byte_range, self.update, self.run, self.checker):
            pass


def check_byte_range(
    byte_range: ByteRange, update: UpdateJob, run: str, checker: "RowChecker"
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


class RowChecker:
    """Checks rows against the district's students, schools and staff, and the update's mode."""

    def __init__(self, update: UpdateJob, header: Header) -> None:
        self._district_id = update.district_id
        self._may_add = update.mode == Mode.ADD
        self.header = header
        self._today, rules = local_date(update.district, timezone.now()), update.file_rules
        self._validator = RowValidator(header, self._today, rules=rules)
        self.mark_key = password_marks.key_for(update.district_id, header)
        self.fingerprinter = RowFingerprinter(
            update.district_id, header.names, rules, self.mark_key
        )
        self._records = self._unknown = 0  # so far
        self._group_cells = GroupCells(update.district_id, header, may_add=self._may_add)
        self._has_last_names = "LAST_NAME" in header.known
        self._has_required_columns = header.known.issuperset(REQUIRED_TO_ADD)
        self._has_links = not header.known.isdisjoint({"GROUPS", "STAFF"})
        self._protected = TokenLimits.from_json(update.limits).protected_columns
        self._references = ReferenceChecker(
            update.district_id, reactivates=update.district.reactivates_students
        )

    @cached_property
    def known(self) -> Walk:
        """A walk along the records that were known when the check began."""
        return manifest.known_records(self._district_id, self.fingerprinter.key)

    @property
    def has_many_unknown(self) -> bool:
        """Whether so many records are unknown that two processes should check the file."""
        return self._unknown >= MANY_RECORDS or 2 * self._unknown > self._records

    def validate(self, rows: Sequence[RawRow]) -> list[ValidatedRow]:
        """Return each row's clean values and problems, by the rules of the file alone."""
        return list(validate_rows(self._validator, rows))

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
            self._check_changed_rows(rows, fingerprints_by_line, result)
        return result

    def _check_changed_rows(
        self, rows: list[RawRow], fingerprints: Mapping[int, int], result: RangeResult
    ) -> None:
        """Check rows whose fingerprint is not known.

        Args:
            rows: The rows.
            fingerprints: Their fingerprints, by line.
            result: Where to add the result.
        """
        validated = self.validate(rows)
        self.check_references(validated)
        matcher = StudentMatcher(self._district_id, [row.values for row in validated])
        matches = [matcher.match(row.line, row.values) for row in validated]
        if self._has_links:
            students = {match.student.pk: match.student for match in matches if match.student}
            snapshots.add_links(students.values())
        for row, match in zip(validated, matches, strict=True):
            if match.problem:
                row.problems.append(match.problem)
        self.check_groups(rows, validated, [match.student for match in matches])
        unmatched_rows = []
        for row, match in zip(validated, matches, strict=True):
            if match.student:
                check_birth_date(row, match.student, self._today)
                if not row.rejected:
                    self._references.check_status(row, match.student)
                    row.problems += self._forbidden_changes(row, match.student)
                result.student_ids.append(match.student.pk)
                result.line_numbers.append(row.line)
            elif not row.rejected:
                unmatched_rows.append((row, match))
                continue
            self._classify(row, match.student, fingerprints[row.line], result)
        self._check_unmatched_rows(unmatched_rows, fingerprints, result)

    def _forbidden_changes(self, row: ValidatedRow, student: StudentSnapshot) -> Iterator[Problem]:
        """Yield a problem for each column that the token must not change, but the row does."""
        if self._protected:
            changed = diff(student, row.values)
            for name in self._protected:
                if name in changed:
                    yield Problem("protected_column", row.line, name)

    def check_references(self, rows: Sequence[ValidatedRow]) -> None:
        """Report schools and staff that the district doesn't have, and remove them from rows."""
        self._references.check_schools_and_staff(rows)

    def check_groups(
        self,
        cells: Sequence[RawRow],
        rows: Sequence[ValidatedRow],
        students: Sequence[StudentSnapshot | None],
    ) -> None:
        """Report groups that would be created because of an ``&``, see ``group_cells.py``."""
        self._group_cells.check(cells, rows, students)

    def changes(self, student: StudentSnapshot, row: ValidatedRow) -> dict[str, str]:
        """Return the columns that a row changes, and their new values.

        An inactive student is reactivated if the district wants that.
        """
        self._references.check_status(row, student)
        return diff(student, row.values, self.mark_key)

    def _check_unmatched_rows(
        self,
        rows: list[tuple[ValidatedRow, Match]],
        fingerprints: Mapping[int, int],
        result: RangeResult,
    ) -> None:
        """Check rows that match no enrolled student: new students where the mode allows it.

        A value that a row lacks may be in another row of the same student, so rows are rejected
        for that only when conflicts are resolved; or here, if the file lacks the column.
        """
        ids = {row.values["STUDENT_ID"] for row, _ in rows if row.values.get("STUDENT_ID")}
        similar = similar_ids.find(self._district_id, ids)
        for row, match in rows:
            if self._may_add:
                if self._has_last_names:
                    fill_one_name(row.values)
                row.problems += _problems_of_new_student(row, match, similar)
                if not self._has_required_columns:
                    row.problems += missing_required_values(row.values, row.line)
            else:
                unknown = matching.unknown_student(row.line, row.values, similar)
                row.problems.append(match.problem_unless_added or unknown)
            self._classify(row, None, fingerprints[row.line], result)

    def _classify(
        self,
        row: ValidatedRow,
        student: StudentSnapshot | None,
        fingerprint: int,
        result: RangeResult,
    ) -> None:
        """Add a row whose problems are complete to the rejected, staged or unchanged ones.

        A row with a warning won't be known: the next update has to warn again, and the cause may
        be gone by then.
        """
        result.tally.add_row(row)
        stored_fingerprint = None if row.problems else fingerprint
        if not row.problems:
            result.clean_lines.add(row.line)
        if row.rejected:
            result.rejected.append(staged_rows.rejected_row(row.line, student, row.values))
        elif student is None:
            result.staged.append(
                staged_rows.new_student_row(row.line, row.values, stored_fingerprint, self.mark_key)
            )
        elif new := diff(student, row.values, self.mark_key):
            result.staged.append(
                staged_rows.change_row(row.line, student, new, stored_fingerprint, self.mark_key)
            )
        else:
            result.unchanged += 1
            if not row.problems:
                result.compared.append(ComparedStudent(student.pk, student.version))


def _problems_of_new_student(
    row: ValidatedRow, match: Match, similar: Mapping[str, str]
) -> Iterator[Problem]:
    """Yield what is wrong with a row that adds a student.

    Args:
        row: The row.
        match: The result of matching the row, without a student.
        similar: As returned by ``similar_ids.find``.
    """
    for name in writer.NAME_COLUMNS:
        if row.values.get(name) == ONE_NAME:
            yield Problem("one_name", row.line, name)
    problem = matching.similar_student(row.line, row.values.get("STUDENT_ID", ""), similar)
    yield from filter(None, (problem, match.warning_if_added))


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
    fingerprints, students = part.fingerprints.tobytes(), result.students_of(part).tobytes()
    CheckedRange.objects.create(
        update=update,
        end_byte=end.byte,
        end_line=end.line,
        first_line=lines[0],
        matched_rows=result.known + len(result.student_ids),
        student_ids=students,
        line_numbers=ranges.pack_lines(lines, end.line),
        fingerprints=fingerprints,
        checksum=ranges.checksum(key, fingerprints, students),
    )
