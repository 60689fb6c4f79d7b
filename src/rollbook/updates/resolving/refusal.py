"""Refuse a file after the check of all rows, before anything is applied."""

from collections.abc import Mapping

from rollbook.studentfile.problems.problem import PROBLEM_CODES, Problem, Scope
from rollbook.updates import problem_store
from rollbook.updates.models import MissingStudents, UpdateJob
from rollbook.updates.resolving import swapped_names, token_share


def find_problem(update: UpdateJob) -> Problem | None:
    """Return why the file is refused, or None.

    Args:
        update: The update, of which all rows have been checked.
    """
    return swapped_names.find_problem(update) or token_share.find_problem(update)


def replace_results(update: UpdateJob, problem: Problem) -> Mapping[str, object]:
    """Replace all results of the check by the problem of the file.

    Returns:
        The columns to write when the update is refused.
    """
    update.checkedrange_set.all().delete()
    update.stagedrow_set.all().delete()
    MissingStudents.objects.filter(update=update).delete()
    codes = [code for code, kind in PROBLEM_CODES.items() if kind.scope is Scope.ROW]
    update.problem_set.filter(code__in=codes).delete()
    problem_store.save_problems(update, [problem])
    of_file = {code: count for code, count in update.problem_counts.items() if code not in codes}
    counters = dict.fromkeys(
        ("rows", "rows_read", "rows_staged", "rows_unchanged", "rows_rejected"), 0
    )
    return {
        **counters,
        "absences": None,
        "problem_counts": problem_store.counts([problem], of_file),
    }
