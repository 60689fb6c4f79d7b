"""Store the problems of an update: exact counts by code, and the details of each problem."""

from collections import Counter
from collections.abc import Iterable, Mapping

from rollbook.db import bulk
from rollbook.studentfile.problems.problem import PROBLEM_CODES, Problem, Severity
from rollbook.updates import models

MAX_WARNINGS = 1000
"""Warnings of an update whose details are stored; there may be some in every row. All errors are
stored.
"""

_COLUMNS = ("update_id", "line", "column", "code", "found", "hint")


def counts(
    problems: Iterable[Problem], earlier_counts: Mapping[str, int] | None = None
) -> dict[str, int]:
    """Return the number of problems by code, added to ``earlier_counts``."""
    return dict(Counter(earlier_counts or {}) + Counter(problem.code for problem in problems))


def save_problems(
    update_id: int, problems: Iterable[Problem], earlier_counts: Mapping[str, int] | None = None
) -> None:
    """Store the details of problems, but of at most ``MAX_WARNINGS`` warnings.

    Args:
        update_id: The ID of the update.
        problems: The problems to store.
        earlier_counts: Code to number of problems that the update already has.
    """
    remaining_warnings = MAX_WARNINGS - _count_warnings(earlier_counts or {})
    rows = []
    for problem in problems:
        if problem.severity is Severity.WARNING:
            remaining_warnings -= 1
            if remaining_warnings < 0:
                continue
        rows.append(
            (update_id, problem.line, problem.column, problem.code, problem.found, problem.hint)
        )
    bulk.insert("updates_problem", _COLUMNS, rows)


def _count_warnings(counts_by_code: Mapping[str, int]) -> int:
    warnings = 0
    for code, count in counts_by_code.items():
        if PROBLEM_CODES[code].severity is Severity.WARNING:
            warnings += count
    return warnings


def to_problem(problem: models.Problem) -> Problem:
    """Return a stored problem as a value with its texts."""
    return Problem(problem.code, problem.line, problem.column, problem.found, problem.hint)
