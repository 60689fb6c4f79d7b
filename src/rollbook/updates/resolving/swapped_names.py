"""Find out whether a file exchanges first and last names, before anything is applied."""

from django.db.models import Min

from rollbook.studentfile.problems.problem import PROBLEM_CODES, Problem
from rollbook.text import count_of
from rollbook.updates.manifest import ranges
from rollbook.updates.models import UpdateJob

MIN_ROWS = 2
"""If fewer rows have exchanged names, these rows are only rejected, or get a warning."""

_ROW_CODES = ("names_exchanged", "names_may_be_exchanged")


def find_problem(update: UpdateJob) -> Problem | None:
    """Return why the file is refused: names are exchanged in most rows whose students exist.

    Args:
        update: The update, of which all rows have been checked.
    """
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
