"""Store the problems of an update: exact counts by code, and the details of each problem.

The value that was found and the hint can name students, so they are encrypted.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rollbook.accounts.district_keys import DistrictKeyLost
from rollbook.accounts.sealed_values import Sealer, unseal
from rollbook.db import bulk
from rollbook.studentfile.problems.problem import PROBLEM_CODES, Problem, Severity
from rollbook.updates import models

MAX_WARNINGS = 1000
"""Warnings of an update whose details are stored; there may be some in every row. All errors are
stored.
"""

_COLUMNS = ("update_id", "line", "column", "code", "found", "hint", "sealed")


def counts(
    problems: Iterable[Problem], earlier_counts: Mapping[str, int] | None = None
) -> dict[str, int]:
    """Return the number of problems by code, added to ``earlier_counts``."""
    return dict(Counter(earlier_counts or {}) + Counter(problem.code for problem in problems))


def report(update: models.UpdateJob, problems: Sequence[Problem]) -> dict[str, Any]:
    """Store problems and count them, in the transaction in which the caller writes their counts.

    Returns:
        The columns of the update to write; none if there are no problems.
    """
    if not problems:
        return {}
    locked = models.UpdateJob.objects.select_for_update(no_key=True).filter(pk=update.pk)
    earlier = locked.values_list("problem_counts", flat=True).get()
    save_problems(update, problems, earlier)
    return {"problem_counts": counts(problems, earlier)}


def save_problems(
    update: models.UpdateJob, problems: Iterable[Problem], earlier: Mapping[str, int] | None = None
) -> None:
    """Store the details of problems, but of at most ``MAX_WARNINGS`` warnings.

    Args:
        update: The update.
        problems: The problems to store.
        earlier: Code to number of problems that the update already has.
    """
    remaining_warnings = MAX_WARNINGS - count_warnings(earlier or {})
    kept = []
    for problem in problems:
        if problem.severity is Severity.WARNING:
            remaining_warnings -= 1
            if remaining_warnings < 0:
                continue
        kept.append(problem)
    if not kept:
        return
    sealer = Sealer.of_district(update.district_id)
    rows = [
        (update.pk, problem.line, problem.column, problem.code, "", "", _seal(sealer, problem))
        for problem in kept
    ]
    bulk.insert("updates_problem", _COLUMNS, rows)


def _seal(sealer: Sealer, problem: Problem) -> bytes | None:
    if not problem.found and not problem.hint:
        return None
    return sealer.seal(json.dumps([problem.found, problem.hint], ensure_ascii=False))


def count_warnings(counts_by_code: Mapping[str, int]) -> int:
    """Return how many of these problems are warnings."""
    counts = counts_by_code.items()
    return sum(count for code, count in counts if PROBLEM_CODES[code].severity is Severity.WARNING)


def to_problem(problem: models.Problem) -> Problem:
    """Return a stored problem as a value with its texts, which are empty if the key is lost."""
    found, hint = problem.found, problem.hint
    if problem.sealed:
        found, hint = _unseal(bytes(problem.sealed))
    return Problem(problem.code, problem.line, problem.column, found, hint)


def _unseal(sealed: bytes) -> tuple[str, str]:
    try:
        found, hint = json.loads(unseal(sealed))
    except DistrictKeyLost:
        return "", ""
    return found, hint
