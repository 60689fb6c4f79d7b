"""2b. The rows of a file seen together: duplicates, keys that two want, and who must go before whom.

Uniqueness is judged against the end state: a key is free if its holder gives it up in the same file. So

1. rows that mean the same student count once if they say the same, and are all rejected if they do not;
2. of several students who want one key the first row gets it;
3. whoever wants a key that its holder keeps is rejected; whoever wants one that is given up waits for that row;
4. whoever waits for a rejected row is rejected too;
5. the others get their turns: a key is given up before it is taken, and a ring of students shares one turn.

Every step only adds outcomes and may be repeated after a crash: rows that have one are left alone.
"""

from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby, islice
from typing import Any

from django.db import connection, transaction
from django.db.models import F

from rollbook.db import planner_stats
from rollbook.studentfile.problems.problem import Problem
from rollbook.studentfile.reading import reader
from rollbook.studentfile.reading.header import Header
from rollbook.text import join_words
from rollbook.updates import problem_store, transitions
from rollbook.updates.checking import staged_rows
from rollbook.updates.checking.check_range import RowChecker
from rollbook.updates.checking.staged_rows import ORDER_GENERATED_USERNAMES
from rollbook.updates.models import StagedRow as StagedRow
from rollbook.updates.models import UpdateJob
from rollbook.updates.receiving import files
from rollbook.updates.resolving.apply_order import dependency_order
from rollbook.updates.state_machine import Outcome, State

# Rows that wait for others come after all that do not, in an order of their own.
ORDER_DEPENDENT_ROWS = 1 << 32
ROWS_PER_TRANSACTION = 1000  # rows settled in one transaction


@dataclass(frozen=True)
class UniqueKey:
    """What a row may take: its columns among the staged rows and among the students, and the word for a clash."""

    taken: tuple[str, ...]
    held: tuple[str, ...]
    code: str
    column: str


UNIQUE_KEYS = (
    UniqueKey(("claims_student_id",), ("student_id",), "student_id_taken", "STUDENT_ID"),
    UniqueKey(("claims_username",), ("username",), "username_taken", "USERNAME"),
    UniqueKey(("claims_name_key", "claims_dob"), ("name_key", "dob"), "name_taken", "LAST_NAME"),
)


def steps(update: UpdateJob, run: str) -> Iterator[None]:
    """Settle what the staged rows of an update claim, one stretch a step. Raises states.Fenced."""
    update.refresh_from_db(fields=["rows_staged"])
    if update.rows_staged > planner_stats.SMALL_TABLE_ROWS:
        planner_stats.analyze("updates_stagedrow", "updates_checkedrange")
    bench = _ConflictResolver(update, run)
    for judge in (
        _duplicate_students,
        _duplicate_new_students,
        _contested_keys,
        _keys_in_use,
        _blocked_rows,
    ):
        yield from judge(bench)
    yield from _assign_apply_order(bench)


class _ConflictResolver:
    """Where the outcomes of one update are given, each stretch in one transaction behind the fence."""

    def __init__(self, update: UpdateJob, run: str) -> None:
        self.update, self._run = update, run

    def reject(self, found: Iterable[Problem]) -> Iterator[None]:
        """Reject the row of each problem, one stretch a step."""
        return self._settle(found, Outcome.REJECTED)

    def mark_unchanged(self, found: Iterable[Problem]) -> Iterator[None]:
        """Count the row of each warning as unchanged, one stretch a step."""
        return self._settle(found, Outcome.UNCHANGED)

    def _settle(self, found: Iterable[Problem], outcome: Outcome) -> Iterator[None]:
        waiting = iter(found)
        while stretch := list(islice(waiting, ROWS_PER_TRANSACTION)):
            with transaction.atomic():
                self._settle_rows({problem.line or 0: problem for problem in stretch}, outcome)
            yield

    def _settle_rows(self, found: dict[int, Problem], outcome: Outcome) -> None:
        staged = StagedRow.objects.filter(update=self.update, line__in=found)
        outcomes = dict(staged.values_list("line", "outcome"))
        open_rows = [line for line, ended in outcomes.items() if ended is None]
        unstaged = [line for line in found if line not in outcomes]
        staged.filter(line__in=open_rows).update(outcome=outcome)
        staged_rows.stage(
            self.update.pk, [staged_rows.settled_row(line, outcome) for line in unstaged]
        )
        said = [found[line] for line in sorted([*open_rows, *unstaged])]
        if not said:
            self.progress()
            return
        counters: dict[str, Any] = {"rows_unchanged": F("rows_unchanged") + len(open_rows)}
        if outcome is Outcome.REJECTED:
            counters = {
                "rows_rejected": F("rows_rejected") + len(said),
                "rows_unchanged": F("rows_unchanged") - len(unstaged),
            }
        counted = UpdateJob.objects.values_list("problem_counts", flat=True).get(pk=self.update.pk)
        problem_store.save_problems(self.update.pk, said, counted)
        self.progress(
            rows_staged=F("rows_staged") - len(open_rows),
            problem_counts=problem_store.counts(said, counted),
            **counters,
        )

    def progress(self, **counters: Any) -> None:
        """Behind the fence: raises states.Fenced if this run does not hold the update any more."""
        transitions.record_progress(self.update.pk, State.CHECKING, self._run, **counters)

    def query(self, question: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """The rows of a SELECT."""
        with connection.cursor() as cursor:
            cursor.execute(question, parameters)
            found: list[tuple[Any, ...]] = cursor.fetchall()
        return found


def _duplicate_students(bench: _ConflictResolver) -> Iterator[None]:
    """1. Rows that mean the same enrolled student."""
    batches = bench.update.checkedrange_set.order_by("end_line")
    students = array("q")
    for some_students in batches.values_list("student_ids", flat=True).iterator():
        students.frombytes(some_students)
    repeated = _repeated_numbers(students)
    rows_of: defaultdict[int, list[int]] = defaultdict(list)
    if repeated:
        for found in batches.values_list("student_ids", "line_numbers").iterator():
            for student, line in zip(*(array("q", numbers) for numbers in found), strict=True):
                if student in repeated:
                    rows_of[student].append(line)
    return _settle_duplicates(bench, list(rows_of.values()))


def _repeated_numbers(numbers: "array[int]") -> set[int]:
    """Those that are there more than once, by one byte for each of some remainders: a set of all takes much more."""
    remainders = 8 * len(numbers) + 1
    seen, suspected = bytearray(remainders), set()
    for number in numbers:
        at = number % remainders
        if seen[at]:
            suspected.add(at)
        seen[at] = 1
    counted = (
        Counter(number for number in numbers if number % remainders in suspected)
        if suspected
        else {}
    )
    return {number for number, count in counted.items() if count > 1}


def _duplicate_new_students(bench: _ConflictResolver) -> Iterator[None]:
    """1. Rows that mean the same new student: by STUDENT_ID, or by name and date of birth where one has no ID."""
    for key, one_lacks_its_id in (
        (UNIQUE_KEYS[0], ""),
        (UNIQUE_KEYS[2], "AND COUNT(claims_student_id) < COUNT(*)"),
    ):
        repeated = _repeated_keys(bench, key.taken, "AND student_id IS NULL", one_lacks_its_id)
        yield from _settle_duplicates(bench, repeated)


def _settle_duplicates(bench: _ConflictResolver, groups: list[list[int]]) -> Iterator[None]:
    """Rows of one student each: all the same, or in conflict."""
    if not groups:
        return
    said = _row_contents(bench.update, {line for group in groups for line in group})
    same = [group for group in groups if len({said[line] for line in group}) == 1]
    differing = [group for group in groups if len({said[line] for line in group}) > 1]
    yield from bench.mark_unchanged(
        Problem("duplicate_row", line, hint=f"line {group[0]} says the same")
        for group in same
        for line in group[1:]
    )
    yield from bench.reject(
        Problem("conflicting_duplicate", line, hint=_others(group, line))
        for group in differing
        for line in group
    )


def _others(group: list[int], line: int) -> str:
    others = [other for other in group if other != line]
    named = join_words([*others[:5], "more"] if len(others) > 5 else others)
    return f"compare it with {'line' if len(others) == 1 else 'lines'} {named}, and send the right one only"


def _row_contents(update: UpdateJob, lines: set[int]) -> dict[int, int]:
    """Line to a fingerprint of what its row says: two rows that mean the same have the same."""
    header, _ = Header.parse(update.header)
    rules = RowChecker(update, header)
    said = {}
    path = files.path_of(update.spool_name)
    for batch in reader.read_batches(
        path, encoding=update.detected_encoding, header=header, only=lines
    ):
        for row, checked in zip(batch.rows, rules.validate(batch.rows), strict=True):
            said[row.line] = hash(
                tuple(row.cells) if checked.rejected else frozenset(checked.values.items())
            )
    return said


def _contested_keys(bench: _ConflictResolver) -> Iterator[None]:
    """2. One key, several students who want it: all rows but the first are rejected."""
    for key in UNIQUE_KEYS:
        repeated = _repeated_keys(bench, key.taken)
        yield from bench.reject(
            Problem(key.code, line, key.column) for group in repeated for line in group[1:]
        )


def _repeated_keys(
    bench: _ConflictResolver, columns: tuple[str, ...], condition: str = "", having: str = ""
) -> list[list[int]]:
    """The lines of open rows that take the same key, in the file's order, a list for each key."""
    names = ", ".join(columns)
    open_rows = f"FROM updates_stagedrow WHERE update_id = %s AND outcome IS NULL AND {columns[0]} IS NOT NULL {condition}"
    found = bench.query(
        f"SELECT {names}, line {open_rows} AND ({names}) IN"
        f" (SELECT {names} {open_rows} GROUP BY {names} HAVING COUNT(*) > 1 {having}) ORDER BY {names}, line",
        bench.update.pk,
        bench.update.pk,
    )
    return [[row[-1] for row in group] for _, group in groupby(found, key=lambda row: row[:-1])]


def _keys_in_use(bench: _ConflictResolver) -> Iterator[None]:
    """3. A key that somebody holds: does the holder give it up?"""
    for key in UNIQUE_KEYS:
        clashes = bench.query(_KEY_IN_USE_QUERIES[key], bench.update.district_id, bench.update.pk)
        yield from bench.reject(
            Problem(key.code, line, key.column) for line, giver in clashes if giver is None
        )
        waits = [(bench.update.pk, line, giver) for line, giver in clashes if giver is not None]
        with transaction.atomic(), connection.cursor() as cursor:
            bench.progress()
            cursor.executemany(
                "INSERT INTO updates_rowdependency (update_id, line, blocked_by_line) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
                waits,
            )
        yield


def _key_in_use_query(key: UniqueKey) -> str:
    """Line of each row that takes a key somebody else holds, and the line of the row that gives it up, or NULL.

    That row may have been rejected already; then the other waits in vain, after a crash as without one.
    """
    holds = " AND ".join(
        f"s.{held} = r.{taken}" for held, taken in zip(key.held, key.taken, strict=True)
    )
    return f"""
SELECT r.line, g.line
FROM updates_stagedrow r
JOIN students_student s ON s.district_id = %s AND {holds} AND s.id IS DISTINCT FROM r.student_id
LEFT JOIN updates_stagedrow g ON g.update_id = r.update_id AND g.student_id = s.id
     AND g.outcome IS DISTINCT FROM 'unchanged' AND g.{key.taken[0]} IS NOT NULL
WHERE r.update_id = %s AND r.outcome IS NULL AND r.{key.taken[0]} IS NOT NULL
ORDER BY r.line"""


_KEY_IN_USE_QUERIES = {key: _key_in_use_query(key) for key in UNIQUE_KEYS}

_BLOCKED = """
WITH RECURSIVE vain(line) AS (
  SELECT w.line FROM updates_rowdependency w
  JOIN updates_stagedrow r ON r.update_id = w.update_id AND r.line = w.blocked_by_line
  WHERE w.update_id = %s AND r.outcome = 'rejected'
  UNION
  SELECT w.line FROM vain JOIN updates_rowdependency w ON w.update_id = %s AND w.blocked_by_line = vain.line
)
SELECT vain.line FROM vain JOIN updates_stagedrow r ON r.update_id = %s AND r.line = vain.line
WHERE r.outcome IS NULL ORDER BY vain.line"""


def _blocked_rows(bench: _ConflictResolver) -> Iterator[None]:
    """4. Rows that wait, perhaps by way of others, for a rejected row."""
    pk = bench.update.pk
    return bench.reject(
        Problem("waits_for_rejected", line) for (line,) in bench.query(_BLOCKED, pk, pk, pk)
    )


def _assign_apply_order(bench: _ConflictResolver) -> Iterator[None]:
    """5. Turns for the rows that wait and those they wait for."""
    pk = bench.update.pk
    waits = bench.query(
        "SELECT line, blocked_by_line FROM updates_rowdependency WHERE update_id = %s", pk
    )
    turns = [
        (ORDER_DEPENDENT_ROWS + turn, pk, line)
        for turn, ring in enumerate(dependency_order(waits))
        for line in ring
    ]
    with transaction.atomic(), connection.cursor() as cursor:
        bench.progress()
        cursor.executemany(
            f"UPDATE updates_stagedrow SET apply_order = %s WHERE update_id = %s AND line = %s AND apply_order < {ORDER_GENERATED_USERNAMES}",
            turns,
        )
    yield
