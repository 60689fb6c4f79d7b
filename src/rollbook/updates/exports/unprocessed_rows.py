"""The rows that an update ended without, as a student file: it can be sent as it is, and does what was left undone."""

from collections.abc import Iterator, Sequence

from rollbook.updates.checking import byte_ranges
from rollbook.updates.exports import source_update
from rollbook.updates.exports.original_rows import (
    OriginalRowsFile,
    ensure_ended,
    ensure_not_removed,
)
from rollbook.updates.models import UpdateJob


def csv_lines(update: UpdateJob) -> Iterator[str]:
    """The file's lines: the rows in their order, as they were sent but for passwords.

    Raises, at once, as_sent.NotEnded, as_sent.Removed, and spool.LostFile if the file is gone unexpectedly.
    """
    ensure_ended(update)
    ensure_not_removed(update)
    sheet = OriginalRowsFile(update, source_update.line_column(update.number))
    return sheet.lines(_rows(update, sheet) if update.not_processed else ())


def file_name(update: UpdateJob) -> str:
    """What to call the file."""
    return f"update-{update.number}-not-processed.csv"


def _rows(update: UpdateJob, sheet: OriginalRowsFile) -> Iterator[list[str]]:
    unread = _unread_lines(update)

    def left(passing: Sequence[int]) -> set[int]:
        """Rows that no batch has reached, and those that were to be applied."""
        waiting = update.stagedrow_set.unapplied(update).filter(
            line__range=(passing[0], passing[-1])
        )
        unreached = {line for line in passing if any(line in lines for lines in unread)}
        return unreached.union(waiting.values_list("line", flat=True))

    found = sheet.rows(left)
    return ([*sheet.cells(row), str(row.line)] for rows in found for row in rows)


def _unread_lines(update: UpdateJob) -> list[range]:
    """The lines that were not checked; once all were, batches are not kept."""
    if update.applying_at:
        return []
    line_at = dict(update.checkpoints)
    return [
        range(
            stretch.start.line if stretch.start else 1,
            line_at[stretch.stop] if stretch.stop else _NO_LIMIT,
        )
        for stretch in byte_ranges.unchecked_ranges(update)
    ]


_NO_LIMIT = 1 << 62  # lines; no file has so many
