"""Export the rejected rows of an update as a student file that can be fixed and uploaded again."""

from collections.abc import Iterator, Sequence
from itertools import chain, groupby

from rollbook.studentfile.problems.problem import Problem, Severity
from rollbook.studentfile.reading.reader import RawRow
from rollbook.students import recognition
from rollbook.updates.exports import source_update, students_shown
from rollbook.updates.exports.original_rows import (
    OriginalRowsFile,
    ensure_ended,
    ensure_not_removed,
)
from rollbook.updates.models import UpdateJob
from rollbook.updates.problem_store import to_problem


def csv_lines(update: UpdateJob, *, confidential: bool = True) -> Iterator[str]:
    """Return the lines of the file: the rejected rows in file order, with their errors.

    The rows are as they were uploaded, without passwords.

    Args:
        update: The update.
        confidential: Whether to include confidential columns.

    Raises:
        NotEnded: If the update has not ended.
        RemovedByRetention: If the file or the details of the update have been removed.
        FileMissing: If the file is missing for another reason.
    """
    ensure_ended(update)
    ensure_not_removed(update)
    line_column = source_update.line_column(update.number)
    columns = (line_column, source_update.CODE, source_update.MESSAGE)
    original = OriginalRowsFile(update, *columns, confidential=confidential)
    if not update.rows_rejected:
        return original.lines(())
    rows = _rows(update, original)
    return original.lines(_with_errors(update, original, rows, confidential=confidential))


def students(update: UpdateJob) -> set[int]:
    """Return the primary keys of the students whom the file shows.

    Raises:
        FileMissing: If the file is missing.
    """
    if not update.rows_rejected:
        return set()
    rejected = update.stagedrow_set.rejected()
    matched = set(rejected.exclude(student=None).values_list("student_id", flat=True))
    in_rows = students_shown.in_file_rows(update, _rows(update, OriginalRowsFile(update)))
    texts = update.problem_set.filter(line__in=rejected.values("line"))
    problems = map(to_problem, texts.iterator())
    quoted = chain.from_iterable((problem.found, problem.hint) for problem in problems)
    return matched | in_rows | recognition.students_named(update.district_id, quoted)


def file_name(update: UpdateJob) -> str:
    """Return the name of the download."""
    return f"update-{update.number}-rejected.csv"


def _rows(update: UpdateJob, original: OriginalRowsFile) -> Iterator[list[RawRow]]:
    def select_rejected(lines: Sequence[int]) -> set[int]:
        rows = update.stagedrow_set.rejected().filter(line__range=(lines[0], lines[-1]))
        return set(rows.values_list("line", flat=True))

    return original.rows(select_rejected)


def _with_errors(
    update: UpdateJob,
    original: OriginalRowsFile,
    batches: Iterator[list[RawRow]],
    *,
    confidential: bool,
) -> Iterator[list[str]]:
    for rows in batches:
        errors = _errors_by_line(update, rows[0].line, rows[-1].line)
        if not confidential:
            errors = {line: list(map(_without_confidential, each)) for line, each in errors.items()}
        for row in rows:
            error_cells = _codes_and_messages(errors.get(row.line, []))
            yield [*original.cells(row), str(row.line), *error_cells]


def _errors_by_line(update: UpdateJob, first: int, last: int) -> dict[int | None, list[Problem]]:
    """Return the errors from line ``first`` to line ``last``, by line."""
    stored = update.problem_set.filter(line__range=(first, last)).order_by("line", "pk")
    problems = map(to_problem, stored)
    errors = [problem for problem in problems if problem.severity is Severity.ERROR]
    return {line: list(group) for line, group in groupby(errors, key=lambda error: error.line)}


def _without_confidential(error: Problem) -> Problem:
    return error.without_confidential()


def _codes_and_messages(errors: list[Problem]) -> tuple[str, str]:
    """Return the cells with all codes and with all messages."""
    codes = dict.fromkeys(error.code for error in errors)
    return " ".join(codes), " | ".join(map(_message, errors))


def _message(error: Problem) -> str:
    return f"{error.column}: {error.message}" if error.column else error.message
