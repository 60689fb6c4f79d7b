"""Check one byte range of a student file: stage rows that differ, and reject invalid ones.

Both checking processes use this. Each batch commits together with the position at which the next
one begins, so a check that was interrupted resumes there.
"""

from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import compress, count

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
from rollbook.studentfile.reading.reader import FilePosition, RawRow, RecordBatch, parse_rows
from rollbook.studentfile.row_validator import (
    RowValidator,
    ValidatedRow,
    fill_one_name,
    missing_required_values,
)
from rollbook.studentfile.values.names import ONE_NAME
from rollbook.students import matching, similar_ids, snapshots, writer
from rollbook.students.diff import diff
from rollbook.students.fingerprints import (
    NO_STUDENT,
    ConfirmedRow,
    FingerprintIndex,
    RowFingerprinter,
)
from rollbook.students.fingerprints import confirm as confirm_fingerprints
from rollbook.students.matching import Match, StudentMatcher
from rollbook.students.snapshots import StudentSnapshot
from rollbook.updates import password_marks, problem_store, transitions
from rollbook.updates.checking import staged_rows
from rollbook.updates.checking.byte_ranges import ByteRange
from rollbook.updates.checking.group_cells import GroupCells
from rollbook.updates.checking.plausible_dates import check_birth_date
from rollbook.updates.checking.references import ReferenceChecker
from rollbook.updates.checking.staged_rows import StagedRowTuple
from rollbook.updates.models import CheckedRange, UpdateJob
from rollbook.updates.receiving import files
from rollbook.updates.state_machine import Mode, State

MAX_BATCH_RECORDS = 20_000
"""Records in a batch if the fingerprints of nearly all are known."""

MIN_BATCH_RECORDS = 4000
"""Records in a batch otherwise."""


def _empty_array() -> "array[int]":
    return array("q")


@dataclass(slots=True)
class RangeResult:
    """The result of checking one batch of records.

    Attributes:
        staged: The rows to apply.
        rejected: The rejected rows.
        unchanged: The number of rows that don't change their student.
        known: The number of rows whose fingerprint is known, which are not validated.
        tally: The counts and problems of the rows that were validated.
        confirmed: Rows that don't change their student and whose fingerprint is to be stored.
        student_ids: The IDs of the enrolled students that rows match.
        line_numbers: The lines of these rows, in the same order.
    """

    staged: list[StagedRowTuple] = field(default_factory=list)
    rejected: list[StagedRowTuple] = field(default_factory=list)
    unchanged: int = 0
    known: int = 0
    tally: ProblemTally = field(default_factory=ProblemTally)
    confirmed: list[ConfirmedRow] = field(default_factory=list)
    student_ids: "array[int]" = field(default_factory=_empty_array)
    line_numbers: "array[int]" = field(default_factory=_empty_array)


class RangeWorker:
    """Checks byte ranges in the second process, for as long as the run holds the update."""

    def __init__(self, update_id: int, run: str, known: FingerprintIndex) -> None:
        self.update = UpdateJob.objects.select_related("district").get(pk=update_id)
        self.run = run
        header, _ = Header.parse(self.update.header)
        self.checker = RowChecker(self.update, header)
        self.checker.known = known

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


class RowChecker:
    """Checks rows against the district's students, schools and staff, and the update's mode."""

    def __init__(self, update: UpdateJob, header: Header) -> None:
        self._district_id = update.district_id
        self._may_add = update.mode == Mode.ADD
        self.header = header
        self._today, rules = local_date(update.district, timezone.now()), update.file_rules
        self._validator = RowValidator(header, self._today, rules=rules)
        self.mark_key = password_marks.key_for(update.district_id, header)
        self._fingerprinter = RowFingerprinter(
            update.district_id, header.names, rules, self.mark_key
        )
        self._group_cells = GroupCells(update.district_id, header, may_add=self._may_add)
        self._has_last_names = "LAST_NAME" in header.known
        self._has_required_columns = header.known.issuperset(REQUIRED_TO_ADD)
        self._has_links = not header.known.isdisjoint({"GROUPS", "STAFF"})
        self._protected = TokenLimits.from_json(update.limits).protected_columns
        self._references = ReferenceChecker(
            update.district_id, reactivates=update.district.reactivates_students
        )

    @cached_property
    def known(self) -> FingerprintIndex:
        """The fingerprints of the district's students when the check began."""
        return FingerprintIndex.load(self._district_id)

    def validate(self, rows: Sequence[RawRow]) -> list[ValidatedRow]:
        """Return each row's clean values and problems, by the rules of the file alone."""
        return list(validate_rows(self._validator, rows))

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

        The fingerprint of a row with a warning is not stored: the next update has to warn again,
        and the cause may be gone by then.
        """
        result.tally.add_row(row)
        stored_fingerprint = None if row.problems else fingerprint
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
            if stored_fingerprint is not None:
                result.confirmed.append(
                    ConfirmedRow(student.pk, student.version, stored_fingerprint)
                )


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
