"""Export the rows that an update did not process, as a student file that can be uploaded again."""

from collections.abc import Iterator, Sequence

from rollbook.studentfile.reading.reader import RawRow
from rollbook.updates.checking import byte_ranges
from rollbook.updates.exports import source_update, students_shown
from rollbook.updates.exports.original_rows import (
    OriginalRowsFile,
    ensure_ended,
    ensure_not_removed,
)
from rollbook.updates.models import UpdateJob


def csv_lines(update: UpdateJob, *, confidential: bool = True) -> Iterator[str]:
    """Return the lines of the file: the unprocessed rows in file order, without passwords.

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
    original = OriginalRowsFile(update, line_column, confidential=confidential)
    if not update.not_processed:
        return original.lines(())
    batches = _rows(update, original)
    return original.lines([*original.cells(row), str(row.line)] for rows in batches for row in rows)


def students(update: UpdateJob) -> set[int]:
    """Return the primary keys of the students whom the file shows.

    Raises:
        FileMissing: If the file is missing.
    """
    if not update.not_processed:
        return set()
    unapplied = update.stagedrow_set.unapplied(update).exclude(student=None)
    matched = set(unapplied.values_list("student_id", flat=True))
    return matched | students_shown.in_file_rows(update, _rows(update, OriginalRowsFile(update)))


def file_name(update: UpdateJob) -> str:
    """Return the name of the download."""
    return f"update-{update.number}-not-processed.csv"


def _rows(update: UpdateJob, original: OriginalRowsFile) -> Iterator[list[RawRow]]:
    unchecked = _unchecked_lines(update)

    def select_unprocessed(lines: Sequence[int]) -> set[int]:
        """Return the lines that were not checked, and those that were checked but not applied."""
        unapplied = update.stagedrow_set.unapplied(update).filter(line__range=(lines[0], lines[-1]))
        selected = set(unapplied.values_list("line", flat=True))
        for line_range in unchecked:
            selected.update(filter(line_range.__contains__, lines))
        return selected

    return original.rows(select_unprocessed)


def _unchecked_lines(update: UpdateJob) -> list[range]:
    """Return the lines that were not checked."""
    if update.applying_at:
        return []
    return [byte_range.lines for byte_range in byte_ranges.unchecked_ranges(update)]
