"""Refuse a file after the check of all rows, before anything is applied."""

from collections.abc import Mapping

from django.db.models import Min

from rollbook.accounts.auth.token_limits import TokenLimits
from rollbook.studentfile.problems.problem import PROBLEM_CODES, Problem, Scope
from rollbook.students.models import Student
from rollbook.text import count_of
from rollbook.updates import problem_store
from rollbook.updates.manifest import ranges
from rollbook.updates.models import MissingStudents, UpdateJob
from rollbook.updates.row_outcomes import FIRST_WITHOUT_LINE

MIN_ROWS = 2
"""If fewer rows have exchanged names, these rows are only rejected, or get a warning."""

_ROW_CODES = ("names_exchanged", "names_may_be_exchanged")


def find_problem(update: UpdateJob) -> Problem | None:
    """Return why the file is refused, of which all rows have been checked; or None."""
    return _second_header(update) or _swapped_names(update) or too_many_changes(update)


def _second_header(update: UpdateJob) -> Problem | None:
    """Return a problem if rows are below another header than that of the file."""
    if "other_header" not in update.problem_counts:
        return None
    stored = update.problem_set.filter(code="other_header")
    return Problem("second_header", stored.aggregate(first=Min("line"))["first"])


def _swapped_names(update: UpdateJob) -> Problem | None:
    """Return a problem if names are exchanged in most rows whose students exist."""
    exchanged = sum(update.problem_counts.get(code, 0) for code in _ROW_CODES)
    if exchanged < MIN_ROWS or 2 * exchanged <= _count_known_rows(update):
        return None
    stored = update.problem_set.filter(code__in=_ROW_CODES)
    line = stored.aggregate(first=Min("line"))["first"]
    hint = f"{count_of(exchanged, 'row')} concerned: {PROBLEM_CODES['names_swapped'].fix}"
    return Problem("names_swapped", line, hint=hint)


def _count_known_rows(update: UpdateJob) -> int:
    """Return the number of rows that are about an enrolled student, or exchange the names of one.

    The latter aren't matched with the student, except by STUDENT_ID.
    """
    exchanged = update.problem_set.filter(code__in=_ROW_CODES).values("line")
    unmatched = update.stagedrow_set.filter(student=None, line__in=exchanged)
    return ranges.count_matched(update) + unmatched.count()


def too_many_changes(update: UpdateJob) -> Problem | None:
    """Return a problem if more students would change than the token that sent the file allows."""
    percent = TokenLimits.from_json(update.limits).max_percent
    if percent is None:
        return None
    staged = update.stagedrow_set.filter(outcome=None)
    count = staged.count()
    total = Student.objects.filter(district_id=update.district_id).count()
    if 100 * count <= percent * total:
        return None
    of_file = staged.filter(line__lt=FIRST_WITHOUT_LINE)
    line = of_file.aggregate(first=Min("line"))["first"]
    fix = PROBLEM_CODES["too_many_changes"].fix
    hint = f"{count:,} students would change, and {percent}% of {total:,} may: {fix}"
    return Problem("too_many_changes", line, hint=hint)


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
