"""Refuse a file after the check of all rows, before anything is applied.

The results of the check can be a million rows, and SQLite has one writer at a time. So they are
removed in small steps before the update is refused:

1. The problem of the file is stored, and the details of the update are hidden, as retention does
   it. From then on nobody sees a result, and another run continues with the next step.
2. Rows and problems are deleted, a batch at a time.
3. The update is refused, with the problem of the file as its only result.

If it is canceled before the last step, retention deletes the rest.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from django.db import transaction
from django.db.models import F, Min, QuerySet
from django.utils import timezone

from rollbook.accounts.auth.token_limits import TokenLimits
from rollbook.studentfile.problems.file_codes import FILE_CODES, FILE_ERRORS
from rollbook.studentfile.problems.problem import PROBLEM_CODES, Problem
from rollbook.students.models import Student
from rollbook.text import count_of
from rollbook.updates import details, problem_store
from rollbook.updates.manifest import ranges
from rollbook.updates.models import Problem as StoredProblem
from rollbook.updates.models import UpdateJob
from rollbook.updates.problem_store import to_problem
from rollbook.updates.row_outcomes import FIRST_WITHOUT_LINE
from rollbook.updates.state_machine import State
from rollbook.updates.transitions import record_progress

MIN_ROWS = 2
"""If fewer rows have exchanged names, these rows are only rejected, or get a warning."""

ROWS_PER_STEP = 5000
"""Rows that are removed in one transaction."""

_CODES_OF_FILES = frozenset(definition.code for definition in FILE_CODES)
_ERRORS_OF_FILES = frozenset(definition.code for definition in FILE_ERRORS)
_ROW_CODES = ("names_exchanged", "names_may_be_exchanged")


def find_problem(update: UpdateJob) -> Problem | None:
    """Return why the file is refused, of which all rows have been checked; or None."""
    if update.details_hidden_at:
        return _stored_problem(update)
    return _second_header(update) or _swapped_names(update) or too_many_changes(update)


def _stored_problem(update: UpdateJob) -> Problem:
    """Return the problem that an earlier run has stored before it removed results."""
    return to_problem(update.problem_set.get(code__in=_ERRORS_OF_FILES))


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


def remove_results(update: UpdateJob, run: str, problem: Problem) -> Iterator[None]:
    """Remove all results of the check, one transaction per step; only the problem is left.

    Raises:
        Fenced: Another run has taken over the update, or it was canceled.
    """
    if update.details_hidden_at is None:
        with transaction.atomic():
            record_progress(update.pk, State.CHECKING, run, details_hidden_at=timezone.now())
            problem_store.save_problems(update, [problem])
        yield
    for model, column in details.TABLES:
        rows: QuerySet[Any] = QuerySet(model)
        if model is StoredProblem:
            rows = rows.exclude(code__in=_CODES_OF_FILES)
        while keys := details.first_keys(rows, update, column, ROWS_PER_STEP):
            with transaction.atomic():
                record_progress(update.pk, State.CHECKING, run, rows_staged=F("rows_staged"))
                details.delete(model, keys)
            yield


def columns_of_refused(update: UpdateJob, problem: Problem) -> Mapping[str, object]:
    """Return the columns to write when the update is refused, once its results are removed."""
    update.refresh_from_db(fields=["problem_counts"])
    counts = update.problem_counts
    of_file = {code: count for code, count in counts.items() if code in _CODES_OF_FILES}
    counters = dict.fromkeys(
        ("rows", "rows_read", "rows_staged", "rows_unchanged", "rows_rejected"), 0
    )
    return {
        **counters,
        "absences": None,
        "details_hidden_at": None,
        "problem_counts": problem_store.counts([problem], of_file),
    }
