"""Check rows whose records are not known: validate, match with students, compare and stage."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from django.utils import timezone

from rollbook.accounts.auth.token_limits import TokenLimits
from rollbook.districts.local_dates import local_date
from rollbook.studentfile.columns import REQUIRED_TO_ADD
from rollbook.studentfile.file_validator import validate_columns, validate_rest
from rollbook.studentfile.problems.problem import Problem
from rollbook.studentfile.problems.tally import ProblemTally
from rollbook.studentfile.reading.reader import RawRow
from rollbook.studentfile.row_validator import (
    RowValidator,
    ValidatedRow,
    fill_one_name,
    missing_required_values,
)
from rollbook.studentfile.values.birth_dates import code_for_age
from rollbook.studentfile.values.names import ONE_NAME
from rollbook.students import matching, similar_ids, snapshots, writer
from rollbook.students.diff import diff
from rollbook.students.matching import Match, StudentMatcher
from rollbook.students.passwords import ImportedPasswords
from rollbook.students.snapshots import LoadedStudents, StudentSnapshot
from rollbook.students.touched import ComparedStudent
from rollbook.updates import password_marks
from rollbook.updates.checking import staged_rows
from rollbook.updates.checking.group_cells import GroupCells
from rollbook.updates.checking.references import ReferenceChecker
from rollbook.updates.checking.simple_rows import FoundRows, SimpleRows
from rollbook.updates.checking.staged_rows import AnyRowTuple, StagedRowTuple
from rollbook.updates.models import UpdateJob
from rollbook.updates.state_machine import Mode


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
        students: The ID of the enrolled student that a validated row matches, by the row's line;
            negative if the row has a problem.
    """

    staged: list[AnyRowTuple] = field(default_factory=list)
    rejected: list[StagedRowTuple] = field(default_factory=list)
    unchanged: int = 0
    known: int = 0
    tally: ProblemTally = field(default_factory=ProblemTally)
    compared: list[ComparedStudent] = field(default_factory=list)
    students: dict[int, int] = field(default_factory=dict)


class RowChecker:
    """Checks rows against the district's students, schools and staff, and the update's mode."""

    def __init__(self, update: UpdateJob) -> None:
        self._district_id = update.district_id
        self.header = header = update.parse_header()
        self._may_add = Mode(update.mode).adds
        self._today, rules = local_date(update.district, timezone.now()), update.file_rules
        self.validator = RowValidator(header, self._today, rules=rules)
        self.mark_key = password_marks.key_for(update.district_id, header)
        self.passwords = ImportedPasswords(self.mark_key)
        self.group_cells = GroupCells(update.district_id, header, may_add=self._may_add)
        self._has_last_names = "LAST_NAME" in header.known
        self._has_required_columns = header.known.issuperset(REQUIRED_TO_ADD)
        self._has_links = not header.known.isdisjoint({"GROUPS", "STAFF"})
        self._protected = TokenLimits.from_json(update.limits).protected_columns
        self.references = ReferenceChecker(update.district, Mode(update.mode))
        self._simple_rows = SimpleRows(self.references, self._protected)

    def check(
        self, rows: list[RawRow], fingerprints: Mapping[int, int], result: RangeResult
    ) -> None:
        """Check rows whose records are not known.

        Args:
            rows: The rows.
            fingerprints: Their fingerprints, by line.
            result: Where to add the result.
        """
        self.passwords = ImportedPasswords(self.mark_key)
        students = LoadedStudents(self._district_id)
        columns = validate_columns(self.validator, rows)
        simple = self._simple_rows.find(columns, students, self.passwords)
        _add_simple_rows(rows, simple, fingerprints, result)
        left = sorted({*range(len(rows))}.difference(simple.positions))
        if left:
            validated = validate_rest(self.validator, rows, columns, left)
            self._check_rows([rows[at] for at in left], validated, students, fingerprints, result)

    def _check_rows(
        self,
        rows: Sequence[RawRow],
        validated: Sequence[ValidatedRow],
        students: LoadedStudents,
        fingerprints: Mapping[int, int],
        result: RangeResult,
    ) -> None:
        """Check rows one by one.

        Args:
            rows: The rows as in the file.
            validated: The same rows, validated.
            students: The students that are loaded already.
            fingerprints: As in ``check``.
            result: As in ``check``.
        """
        self.references.check_schools_and_staff(validated)
        matcher = StudentMatcher(self._district_id, [row.values for row in validated], students)
        matches = [matcher.match(row.line, row.values) for row in validated]
        matched = [match.student for match in matches if match.student]
        self.references.load_returning(matched)
        if self._has_links:
            snapshots.add_links(matched)
        for row, match in zip(validated, matches, strict=True):
            if match.problem:
                row.problems.append(match.problem)
        self.group_cells.check(rows, validated, [match.student for match in matches])
        unmatched_rows = []
        for row, match in zip(validated, matches, strict=True):
            if match.student:
                self._check_student(row, match.student)
            elif not row.rejected:
                unmatched_rows.append((row, match))
                continue
            self._classify(row, match.student, fingerprints[row.line], result)
        self._check_unmatched_rows(unmatched_rows, fingerprints, result)

    def _check_student(self, row: ValidatedRow, student: StudentSnapshot) -> None:
        """Add the problems that depend on the row's student."""
        _check_birth_date(row, student, self._today)
        if row.rejected:
            return
        row.problems += self.references.remove_staff_elsewhere(row, student)
        self.references.check_status(row, student)
        if self._protected:
            changed = diff(student, row.values)
            forbidden = (name for name in self._protected if name in changed)
            row.problems += (Problem("protected_column", row.line, name) for name in forbidden)

    def complete_merged_row(self, row: ValidatedRow, student: StudentSnapshot | None) -> None:
        """Apply the rules that depend on a student's school and status to a merged row.

        An inactive student is reactivated if the district wants that. Each row has its problems
        already, so those that are found again are dropped.
        """
        self.references.remove_staff_elsewhere(row, student)
        if student:
            self.references.load_returning([student])
            self.references.check_status(row, student)

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
                row.problems += self.references.remove_staff_elsewhere(row, None)
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
        self.header.locate(row.problems)
        result.tally.add_row(row)
        stored_fingerprint = None if row.problems else fingerprint
        if student:
            result.students[row.line] = -student.pk if row.problems else student.pk
        if row.rejected:
            result.rejected.append(staged_rows.rejected_row(row.line, student, row.values))
        elif student is None:
            result.staged.append(
                staged_rows.new_student_row(
                    row.line, row.values, stored_fingerprint, self.passwords
                )
            )
        elif new := diff(student, row.values, self.passwords):
            result.staged.append(
                staged_rows.change_row(row.line, student, new, stored_fingerprint, self.passwords)
            )
        else:
            result.unchanged += 1
            if not row.problems:
                result.compared.append(ComparedStudent(student.pk, student.version))


def _add_simple_rows(
    rows: Sequence[RawRow], found: FoundRows, fingerprints: Mapping[int, int], result: RangeResult
) -> None:
    """Add rows without a problem to the staged or unchanged ones."""
    lines = [rows[position].line for position in found.positions]
    result.tally.rows += len(lines)
    for line, student, changes in zip(lines, found.students, found.changes, strict=True):
        if changes:
            staged = staged_rows.simple_change_row(line, student, changes, fingerprints[line])
            result.staged.append(staged)
        else:
            result.unchanged += 1
            result.compared.append(ComparedStudent(student[0], student[1]))
        result.students[line] = student[0]


def _check_birth_date(row: ValidatedRow, student: StudentSnapshot, today: date) -> None:
    """Reject a row with an unusual age if the student's current age isn't unusual."""
    warning = next((problem for problem in row.problems if problem.code == "unusual_age"), None)
    if warning and code_for_age(student.values["DOB"], today) is None:
        row.problems.remove(warning)
        row.problems.append(Problem("implausible_dob", row.line, "DOB", warning.found))
        row.values.pop("DOB", None)


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
