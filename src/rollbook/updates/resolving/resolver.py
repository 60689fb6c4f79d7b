"""Write the outcomes of conflicts between the rows of a file, in small transactions."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, islice
from typing import Any

from django.db import connection, transaction
from django.db.models import F

from rollbook.db.json_keys import IN_JSON_TEXTS, as_json_parameter
from rollbook.studentfile.problems.problem import Problem
from rollbook.updates import problem_store, transitions
from rollbook.updates.checking import staged_groups
from rollbook.updates.models import StagedRow, UpdateJob
from rollbook.updates.state_machine import Outcome, State

ROWS_PER_TRANSACTION = 1000


@dataclass(frozen=True)
class UniqueKey:
    """A unique key of students.

    Attributes:
        claimed: Its column in ``updates_stagedrow``, null if the row doesn't claim the key.
        held: Its column in ``students_student``.
        code: The code of the problem that the key is taken.
        column: The column of the file that the problem is about.
    """

    claimed: str
    held: str
    code: str
    column: str


class ConflictResolver:
    """Writes the outcomes of one update, in small transactions behind the fence."""

    def __init__(self, update: UpdateJob, run: str) -> None:
        self.update = update
        self._run = run

    def reject(self, problems: Iterable[Problem]) -> Iterator[None]:
        """Reject the row of each problem, one transaction per step.

        Args:
            problems: The problems; those of the same row follow each other.
        """
        rows = (list(row) for _, row in groupby(problems, key=lambda problem: problem.line))
        while batch := list(islice(rows, ROWS_PER_TRANSACTION)):
            with transaction.atomic():
                self._reject_rows({row[0].line or 0: row for row in batch})
            yield

    def _reject_rows(self, problems: dict[int, list[Problem]]) -> None:
        """Reject the rows that have no outcome yet.

        Args:
            problems: The problems of each row, by line.
        """
        staged = StagedRow.objects.filter(update=self.update, line__in=problems)
        outcomes = dict(staged.values_list("line", "outcome"))
        pending = [line for line, row_outcome in outcomes.items() if row_outcome is None]
        staged.filter(line__in=pending).update(outcome=Outcome.REJECTED)
        staged_groups.forget(self.update, pending)
        reported = [problem for line in sorted(pending) for problem in problems[line]]
        if not reported:
            self.record_progress()
            return
        counters: dict[str, Any] = {
            "rows_rejected": F("rows_rejected") + len(pending),
            "rows_staged": F("rows_staged") - len(pending),
        }
        self.report(reported, counters)

    def warn_once(self, code: str, warnings: Sequence[Problem]) -> Iterator[None]:
        """Report warnings of one code that nothing else reports, in one transaction.

        The rows get no outcome. If a run reports them and is interrupted, the next one doesn't
        report them again.
        """
        if not warnings:
            return
        counts = UpdateJob.objects.values_list("problem_counts", flat=True).get(pk=self.update.pk)
        if code not in counts:
            with transaction.atomic():
                self.report(warnings, {})
            yield

    def report(self, problems: Sequence[Problem], counters: Mapping[str, Any]) -> None:
        """Write problems and counters, in the caller's transaction.

        Raises:
            Fenced: Another run has taken over the update, or it was canceled.
        """
        self.record_progress(**problem_store.report(self.update, problems), **counters)

    def record_progress(self, **counters: Any) -> None:
        """Write counters, or without any, only check the fence.

        Raises:
            Fenced: Another run has taken over the update, or it was canceled.
        """
        transitions.record_progress(self.update.pk, State.CHECKING, self._run, **counters)

    def query(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """Return the rows of a SELECT."""
        with connection.cursor() as cursor:
            cursor.execute(sql, parameters)
            rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows

    def execute_many(self, sql: str, parameters: Sequence[tuple[int, ...]]) -> None:
        """Execute a statement with each of these parameters, in one transaction.

        Raises:
            Fenced: Another run has taken over the update, or it was canceled.
        """
        if parameters:
            with transaction.atomic(), connection.cursor() as cursor:
                self.record_progress()
                cursor.executemany(sql, parameters)

    def rows_with_same_key(
        self, key: UniqueKey, condition: str = "outcome IS NULL"
    ) -> list[list[int]]:
        """Find rows that claim the same key.

        Args:
            key: The key.
            condition: Which rows to find, in SQL; by default, those without an outcome.

        Returns:
            For each key that is claimed more than once, the lines of its rows in ascending order.
        """
        repeated = self.repeated_keys(key.claimed)
        if not repeated:
            return []
        sql = _SAME_KEY.format(key=key.claimed, condition=condition)
        rows = self.query(sql, self.update.pk, as_json_parameter(repeated))
        lines_by_key: dict[str, list[int]] = {}
        for key_value, line in rows:
            lines_by_key.setdefault(key_value, []).append(line)
        return list(filter(lambda lines: len(lines) > 1, lines_by_key.values()))

    def repeated_keys(self, column: str) -> list[Any]:
        """Return the keys that more than one row claims, whatever the rows' outcomes.

        An index answers it, without a look at the rows. Few keys are left to look at then; they
        are a parameter, because PostgreSQL may find them anew for each row.

        Args:
            column: The column of the key.
        """
        sql = _REPEATED_KEYS.format(key=column)
        return [key for (key,) in self.query(sql, self.update.pk)]


_REPEATED_KEYS = """
SELECT {key}
FROM updates_stagedrow
WHERE update_id = %s AND {key} IS NOT NULL
GROUP BY {key}
HAVING COUNT(*) > 1"""

_SAME_KEY = f"""
SELECT {{key}}, line
FROM updates_stagedrow
WHERE update_id = %s AND {{key}} {IN_JSON_TEXTS} AND {{condition}}
ORDER BY {{key}}, line"""
