"""Export the rejected rows of an update as a student file that can be fixed and uploaded again."""

from collections.abc import Iterator, Sequence
from itertools import groupby

from rollbook.studentfile.problems.problem import Problem, Severity
from rollbook.studentfile.reading.reader import RawRow
from rollbook.updates.exports import source_update
from rollbook.updates.exports.original_rows import (
    OriginalRowsFile,
    ensure_ended,
    ensure_not_removed,
)
from rollbook.updates.models import UpdateJob
from rollbook.updates.problem_store import to_problem


def csv_lines(update: UpdateJob) -> Iterator[str]:
    """Return the lines of the file: the rejected rows in file order, with their errors.

    The rows are as they were uploaded, without passwords.

    Raises:
        NotEnded: If the update has not ended.
        RemovedByRetention: If the file or the details of the update have been removed.
        FileMissing: If the file is missing for another reason.
    """
    ensure_ended(update)
    ensure_not_removed(update)
    line_column = source_update.line_column(update.number)
    original = OriginalRowsFile(update, line_column, source_update.CODE, source_update.MESSAGE)
    if not update.rows_rejected:
        return original.lines(())
    return original.lines(_rows(update, original))


def file_name(update: UpdateJob) -> str:
    """Return the name of the download."""
    return f"update-{update.number}-rejected.csv"


def _rows(update: UpdateJob, original: OriginalRowsFile) -> Iterator[list[str]]:
    def select_rejected(lines: Sequence[int]) -> set[int]:
        rows = update.stagedrow_set.rejected().filter(line__range=(lines[0], lines[-1]))
        return set(rows.values_list("line", flat=True))

    return _with_errors(update, original, original.rows(select_rejected))


def _with_errors(
    update: UpdateJob, original: OriginalRowsFile, batches: Iterator[list[RawRow]]
) -> Iterator[list[str]]:
    for rows in batches:
        errors = _errors_by_line(update, rows[0].line, rows[-1].line)
        for row in rows:
            error_cells = _codes_and_messages(errors.get(row.line, []))
            yield [*original.cells(row), str(row.line), *error_cells]


def _errors_by_line(update: UpdateJob, first: int, last: int) -> dict[int | None, list[Problem]]:
    """Return the errors from line ``first`` to line ``last``, by line."""
    stored = update.problem_set.filter(line__range=(first, last)).order_by("line", "pk")
    problems = map(to_problem, stored)
    errors = [problem for problem in problems if problem.severity is Severity.ERROR]
    return {line: list(group) for line, group in groupby(errors, key=lambda error: error.line)}


def _codes_and_messages(errors: list[Problem]) -> tuple[str, str]:
    """Return the cells with all codes and with all messages."""
    codes = dict.fromkeys(error.code for error in errors)
    return " ".join(codes), " | ".join(map(_message, errors))


def _message(error: Problem) -> str:
    return f"{error.column}: {error.message}" if error.column else error.message
