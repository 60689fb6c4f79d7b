"""Settle rows about the same student: merge them if they agree, otherwise reject them.

Rows conflict only in columns where two of them give a value and the values differ. All rows of a
student are settled in one transaction, so the result after a crash is the same as without one:
either nothing has happened, or at most one of the rows is still open.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, NamedTuple

from django.db import connection, transaction
from django.db.models import F

from rollbook.db.json_keys import IN_JSON_INTEGERS, as_json_parameter
from rollbook.studentfile.file_validator import validate_rows
from rollbook.studentfile.problems.problem import Problem, Severity
from rollbook.studentfile.reading.reader import RawRow
from rollbook.studentfile.row_validator import ValidatedRow, fill_one_name
from rollbook.students import snapshots
from rollbook.students.diff import diff
from rollbook.students.snapshots import StudentSnapshot
from rollbook.students.writer import COLUMN_ORDER
from rollbook.text import join_words
from rollbook.updates.checking import staged_groups, staged_rows
from rollbook.updates.checking.records import FileReader
from rollbook.updates.checking.row_checker import RowChecker
from rollbook.updates.checking.staged_rows import ORDER_INCOMPLETE, AnyRowTuple
from rollbook.updates.models import UpdateJob
from rollbook.updates.resolving import resolver as resolving
from rollbook.updates.resolving.resolver import ConflictResolver
from rollbook.updates.state_machine import Outcome

MAX_LISTED_LINES = 5
MAX_ROWS_IN_MEMORY = 50_000
"""Rows whose values are held in memory at a time."""


class DuplicateRows(NamedTuple):
    """Rows about one student.

    Attributes:
        lines: Their lines in ascending order.
        student_id: The student's ID in the database; None for a new student.
    """

    lines: list[int]
    student_id: int | None = None


class FileRow(NamedTuple):
    """A row as it is in the file.

    Attributes:
        given: Column to value, including the cells with errors, which no valid value equals.
        cells: Its cells.
        row: The valid values, without staff that the district doesn't have.
    """

    given: dict[str, str]
    cells: RawRow
    row: ValidatedRow


class StagedState(NamedTuple):
    """The outcome of a staged row, None if it has none, and its apply order."""

    outcome: str | None
    apply_order: int

    @property
    def is_incomplete(self) -> bool:
        """Whether it is a new student who lacks a required value."""
        return self.apply_order >= ORDER_INCOMPLETE


def settle(resolver: ConflictResolver, groups: list[DuplicateRows]) -> Iterator[None]:
    """Settle rows about one student each, one transaction per step.

    Args:
        resolver: The resolver of the update.
        groups: The rows of each student.
    """
    if not groups:
        return
    student_file = _StudentFile(resolver.update)
    hashes = student_file.content_hashes({line for group in groups for line in group.lines})
    equal: list[DuplicateRows] = []
    different: list[DuplicateRows] = []
    for group in groups:
        is_equal = len({hashes[line] for line in group.lines}) == 1
        (equal if is_equal else different).append(group)
    del hashes
    for batch in _batches(equal, resolving.ROWS_PER_TRANSACTION):
        _settle(resolver, student_file.checker, batch, {})
        yield
    for part in _batches(different, MAX_ROWS_IN_MEMORY):
        rows = student_file.rows({line for group in part for line in group.lines})
        for batch in _batches(part, resolving.ROWS_PER_TRANSACTION):
            _settle(resolver, student_file.checker, batch, rows)
            yield


def join_overlapping(groups: Iterable[list[int]]) -> list[list[int]]:
    """Join lists that have a number in common; return sorted lists without repetitions."""
    joined: dict[int, set[int]] = {}
    for numbers in groups:
        union = set(numbers).union(*(joined[number] for number in numbers if number in joined))
        joined.update(dict.fromkeys(union, union))
    distinct = {id(union): union for union in joined.values()}
    return [sorted(union) for union in distinct.values()]


class _StudentFile:
    """Reads and validates rows of an update's file."""

    def __init__(self, update: UpdateJob) -> None:
        self.checker = RowChecker(update)
        self._file = FileReader(update, self.checker.header)

    def content_hashes(self, lines: set[int]) -> dict[int, int]:
        """Return a hash of each row by line, the same for rows that give the same values."""
        hashes = {}
        for rows in self._read(lines):
            for row in validate_rows(self.checker.validator, rows):
                hashes[row.line] = hash(frozenset(_given(row).items()))
        return hashes

    def rows(self, lines: set[int]) -> dict[int, FileRow]:
        """Return rows by line."""
        by_line = {}
        for rows in self._read(lines):
            validated = validate_rows(self.checker.validator, rows)
            given = [_given(row) for row in validated]
            self.checker.references.check_schools_and_staff(validated)
            for values, cells, row in zip(given, rows, validated, strict=True):
                by_line[row.line] = FileRow(values, cells, row)
        return by_line

    def _read(self, lines: set[int]) -> Iterator[list[RawRow]]:
        for batch in self._file.read():
            yield batch.rows(self.checker.header, lines)


@dataclass
class _Settlement:
    """What one transaction does to the rows of several students.

    Attributes:
        checker: Compares merged rows with their students.
        rows: The values of the rows by line; empty if the rows of each student are equal.
        states: The states of the staged ones of the rows, by line.
        students: The students of the rows, by ID; empty if the rows of each student are equal.
        problems: The problems to report.
        outcomes: The outcome of each row that gets one, by line.
        merged: Rows that contain the values of several rows, to replace those of the same line.
    """

    checker: RowChecker
    rows: Mapping[int, FileRow]
    states: Mapping[int, StagedState]
    students: Mapping[int, StudentSnapshot]
    problems: list[Problem] = field(default_factory=list)
    outcomes: dict[int, Outcome] = field(default_factory=dict)
    merged: list[AnyRowTuple] = field(default_factory=list)

    def add(self, group: DuplicateRows) -> None:
        """Decide on the rows of one student."""
        open_lines = list(filter(self._is_open, group.lines))
        given = [self.rows[line].given for line in group.lines if line in self.rows]
        differences = _differences(given)
        if differences:
            self.outcomes |= dict.fromkeys(open_lines, Outcome.REJECTED)
            self.problems += _conflicts(group.lines, open_lines, differences)
        elif len(open_lines) > 1:
            self._merge(open_lines, self._merged_values(group), group.student_id)

    def _is_open(self, line: int) -> bool:
        return line not in self.states or self.states[line].outcome is None

    def _is_rejected(self, line: int) -> bool:
        return line in self.states and self.states[line].outcome == Outcome.REJECTED

    def _merge(self, lines: list[int], merged: ValidatedRow, student_id: int | None) -> None:
        """Merge rows that agree into the first one that is staged, or else into the first one.

        Args:
            lines: The lines of the rows that have no outcome yet.
            merged: The values of all rows of the student.
            student_id: The student's ID in the database; None for a new student.
        """
        target = next((line for line in lines if line in self.states), lines[0])
        is_incomplete = target in self.states and self.states[target].is_incomplete
        hint = f"line {lines[0]} has the same values"
        is_gone = student_id is not None and student_id not in self.students
        if self.rows and not is_gone and merged.values != self.rows[target].row.values:
            hint = f"line {lines[0]} is about the same student; they were applied together"
            staged = self._staged_row(target, merged, student_id)
            is_incomplete = staged is not None and staged.apply_order >= ORDER_INCOMPLETE
            if staged is None:
                self.outcomes[target] = Outcome.UNCHANGED
            elif not is_incomplete:
                self.merged.append(staged)
        if is_incomplete:
            return  # each of the rows is rejected for the values that it lacks
        self.outcomes |= dict.fromkeys(
            (line for line in lines if line != target), Outcome.UNCHANGED
        )
        self.problems += [Problem("duplicate_row", line, hint=hint) for line in lines[1:]]

    def _merged_values(self, group: DuplicateRows) -> ValidatedRow:
        """Return one row with the values and problems of those that aren't rejected.

        They include rows that were merged before a row without an ID turned out to belong to them.
        """
        merged = ValidatedRow(group.lines[0])
        student = self.students.get(group.student_id or 0)
        for line in group.lines:
            if line in self.rows and not self._is_rejected(line):
                _, cells, row = self.rows[line]
                self.checker.group_cells.check([cells], [row], [student])
                merged.values |= row.values
                merged.problems += row.problems
        return merged

    def _staged_row(
        self, line: int, merged: ValidatedRow, student_id: int | None
    ) -> AnyRowTuple | None:
        """Return the row to stage; None if it changes nothing.

        It has no fingerprint, because no record contains all of its values.
        """
        student = None if student_id is None else self.students[student_id]
        self.checker.complete_merged_row(merged, student)
        if student is None:
            fill_one_name(merged.values)
            return staged_rows.new_student_row(line, merged.values, None, self.checker.passwords)
        new = diff(student, merged.values, self.checker.passwords)
        if not new:
            return None
        return staged_rows.change_row(line, student, new, None, self.checker.passwords)


def _settle(
    resolver: ConflictResolver,
    checker: RowChecker,
    groups: Sequence[DuplicateRows],
    rows: Mapping[int, FileRow],
) -> None:
    """Settle the rows of several students in one transaction.

    Args:
        resolver: The resolver of the update.
        checker: Compares merged rows with their students.
        groups: The rows of each student.
        rows: Their values by line; empty if the rows of each student are equal.

    Raises:
        Fenced: Another run has taken over the update, or it was canceled.
    """
    with transaction.atomic():
        lines = [line for group in groups for line in group.lines]
        staged = resolver.query(_STATES, resolver.update.pk, as_json_parameter(lines))
        states = {line: StagedState(outcome, order) for line, outcome, order in staged}
        students: dict[int, StudentSnapshot] = {}
        if rows:
            students = snapshots.load_with_links([group.student_id or 0 for group in groups])
        settlement = _Settlement(checker, rows, states, students)
        for group in groups:
            settlement.add(group)
        _write(resolver, settlement)


def _write(resolver: ConflictResolver, settlement: _Settlement) -> None:
    """Write outcomes, merged rows, problems and counters, in the caller's transaction."""
    if not settlement.outcomes and not settlement.merged:
        resolver.record_progress()
        return
    pk = resolver.update.pk
    merged_lines = [row.line for row in settlement.merged]
    with connection.cursor() as cursor:
        cursor.execute(_DELETE, [pk, as_json_parameter(merged_lines)])
        for outcome in (Outcome.UNCHANGED, Outcome.REJECTED):
            lines = [line for line, each in settlement.outcomes.items() if each is outcome]
            cursor.execute(_SET_OUTCOME, [outcome.value, pk, as_json_parameter(lines)])
    settled = [
        staged_rows.settled_row(line, outcome)
        for line, outcome in settlement.outcomes.items()
        if line not in settlement.states
    ]
    staged_rows.stage(pk, [*settlement.merged, *settled])
    staged_groups.forget(resolver.update, [*merged_lines, *settlement.outcomes])
    problems = sorted(settlement.problems, key=lambda problem: problem.line or 0)
    resolver.report(problems, _counters(settlement))


def _counters(settlement: _Settlement) -> dict[str, Any]:
    """Return the changes of the update's counters; rows that aren't staged count as unchanged."""
    changes = Counter({"rows_staged": 0, "rows_unchanged": 0, "rows_rejected": 0})
    for line, outcome in settlement.outcomes.items():
        changes["rows_staged" if line in settlement.states else "rows_unchanged"] -= 1
        changes[f"rows_{outcome}"] += 1
    for row in settlement.merged:
        if row.line not in settlement.states:
            changes["rows_unchanged"] -= 1
            changes["rows_staged"] += 1
    return {counter: F(counter) + change for counter, change in changes.items()}


def _given(row: ValidatedRow) -> dict[str, str]:
    """Return column to value, including the cells with errors, which no valid value equals."""
    given = dict(row.values)
    for problem in row.problems:
        if problem.column and problem.severity is Severity.ERROR:
            given[problem.column] = f"\0{problem.found}"
    return given


def _differences(rows: Sequence[Mapping[str, str]]) -> list[str]:
    """Return the columns in which two rows give different values."""
    values: defaultdict[str, set[str]] = defaultdict(set)
    for row in rows:
        for column, value in row.items():
            values[column].add(value)
    different = [column for column, given in values.items() if len(given) > 1]
    return sorted(different, key=COLUMN_ORDER.__getitem__)


def _conflicts(lines: list[int], open_lines: list[int], columns: list[str]) -> Iterator[Problem]:
    """Yield the problem of each row that is rejected because the rows differ in these columns."""
    differ = "differs" if len(columns) == 1 else "differ"
    for line in open_lines:
        others = list(islice((other for other in lines if other != line), MAX_LISTED_LINES + 1))
        hint = (
            f"{join_words(columns)} {differ}; compare it with {_name_lines(others)}, "
            "and send only the correct row"
        )
        yield Problem("conflicting_duplicate", line, columns[0], hint=hint)


def _name_lines(lines: Sequence[int]) -> str:
    listed: list[int | str] = [*lines]
    if len(lines) > MAX_LISTED_LINES:
        listed = [*lines[:MAX_LISTED_LINES], "more"]
    return f"{'line' if len(lines) == 1 else 'lines'} {join_words(listed)}"


def _batches(groups: Iterable[DuplicateRows], size: int) -> Iterator[list[DuplicateRows]]:
    """Yield the groups in batches of about ``size`` rows."""
    batch: list[DuplicateRows] = []
    rows = 0
    for group in groups:
        batch.append(group)
        rows += len(group.lines)
        if rows >= size:
            yield batch
            batch, rows = [], 0
    if batch:
        yield batch


_STATES = f"""
SELECT line, outcome, apply_order FROM updates_stagedrow
WHERE update_id = %s AND line {IN_JSON_INTEGERS}"""

_DELETE = f"DELETE FROM updates_stagedrow WHERE update_id = %s AND line {IN_JSON_INTEGERS}"

_SET_OUTCOME = f"""
UPDATE updates_stagedrow SET outcome = %s
WHERE update_id = %s AND line {IN_JSON_INTEGERS}"""
