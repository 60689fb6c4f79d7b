"""The rejected rows of an update as a student file: repaired, it can be sent as it is."""

from collections.abc import Iterable, Iterator, Sequence
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
    """The file's lines: the rows in their order, as they were sent but for passwords, and what is wrong with each.

    Raises, at once, as_sent.NotEnded, as_sent.Removed, and spool.LostFile if the file is gone unexpectedly.
    """
    ensure_ended(update)
    ensure_not_removed(update)
    sheet = OriginalRowsFile(
        update, source_update.line_column(update.number), source_update.CODE, source_update.MESSAGE
    )
    return sheet.lines(_rows(update, sheet) if update.rows_rejected else ())


def file_name(update: UpdateJob) -> str:
    """What to call the file."""
    return f"update-{update.number}-rejected.csv"


def _rows(update: UpdateJob, sheet: OriginalRowsFile) -> Iterator[list[str]]:
    def rejected(passing: Sequence[int]) -> set[int]:
        rows = update.stagedrow_set.rejected().filter(line__range=(passing[0], passing[-1]))
        return set(rows.values_list("line", flat=True))

    return _with_errors(update, sheet, sheet.rows(rejected))


def _with_errors(
    update: UpdateJob, sheet: OriginalRowsFile, found: Iterator[list[RawRow]]
) -> Iterator[list[str]]:
    for rows in found:
        errors = _errors(update, rows[0].line, rows[-1].line)
        for row in rows:
            yield [*sheet.cells(row), str(row.line), *_said(errors.get(row.line, []))]


def _errors(update: UpdateJob, first: int, last: int) -> dict[int | None, list[Problem]]:
    """Line to what is wrong there."""
    kept = update.problem_set.filter(line__range=(first, last)).order_by("line", "pk")
    errors = (problem for problem in map(to_problem, kept) if problem.severity is Severity.ERROR)
    return {line: list(found) for line, found in groupby(errors, key=lambda problem: problem.line)}


def _said(found: Iterable[Problem]) -> tuple[str, str]:
    """All codes, and all messages."""
    listed = list(found)
    messages = (
        f"{problem.column}: {problem.message}" if problem.column else problem.message
        for problem in listed
    )
    return " ".join(dict.fromkeys(problem.code for problem in listed)), " | ".join(messages)
