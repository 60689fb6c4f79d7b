"""The problems of an update as the database keeps them: exact totals by code, and each in detail."""

from collections import Counter
from collections.abc import Iterable, Mapping

from rollbook.db import bulk
from rollbook.studentfile.problems.problem import PROBLEM_CODES, Problem, Severity
from rollbook.updates import models

# Every rejected row keeps its problems. Of warnings, which may come with every single row, this many are kept.
MAX_WARNINGS = 1000


def counts(found: Iterable[Problem], before: Mapping[str, int] | None = None) -> dict[str, int]:
    """How many problems of each code there are, with those counted before."""
    return dict(Counter(before or {}) + Counter(problem.code for problem in found))


def save_problems(
    update_id: int, found: Iterable[Problem], before: Mapping[str, int] | None = None
) -> None:
    """Write these problems down; of warnings only ``MOST_WARNINGS``, counting those of ``before``."""
    room = MAX_WARNINGS - sum(
        n for code, n in (before or {}).items() if PROBLEM_CODES[code].severity is Severity.WARNING
    )
    kept = []
    for problem in found:
        if problem.severity is Severity.WARNING:
            room -= 1
            if room < 0:
                continue
        kept.append(
            (update_id, problem.line, problem.column, problem.code, problem.found, problem.hint)
        )
    bulk.insert("updates_problem", ("update_id", "line", "column", "code", "found", "hint"), kept)


def to_problem(problem: models.Problem) -> Problem:
    """The problem with its words."""
    return Problem(problem.code, problem.line, problem.column, problem.found, problem.hint)
