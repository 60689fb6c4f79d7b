"""The rows that an update ended without, as a student file: it can be sent as it is, and does what was left undone."""

from collections.abc import Iterator, Sequence

from rollbook.updates import origin, stretches
from rollbook.updates.as_sent import Sheet, require_ended, require_kept
from rollbook.updates.models import Update


def lines(update: Update) -> Iterator[str]:
    """The file's lines: the rows in their order, as they were sent but for passwords.

    Raises, at once, as_sent.NotEnded, as_sent.Removed, and spool.LostFile if the file is gone unexpectedly.
    """
    require_ended(update)
    require_kept(update)
    sheet = Sheet(update, origin.line_column(update.number))
    return sheet.lines(_rows(update, sheet) if update.not_processed else ())


def file_name(update: Update) -> str:
    """What to call the file."""
    return f"update-{update.number}-not-processed.csv"


def _rows(update: Update, sheet: Sheet) -> Iterator[list[str]]:
    unread = _unread(update)

    def left(passing: Sequence[int]) -> set[int]:
        """Rows that no batch has reached, and those that were to be applied."""
        waiting = update.row_set.unapplied(update).filter(line__range=(passing[0], passing[-1]))
        unreached = {line for line in passing if any(line in lines for lines in unread)}
        return unreached.union(waiting.values_list("line", flat=True))

    found = sheet.rows(left)
    return ([*sheet.cells(row), str(row.line)] for rows in found for row in rows)


def _unread(update: Update) -> list[range]:
    """The lines that were not checked; once all were, batches are not kept."""
    if update.applying_at:
        return []
    line_at = dict(update.marks)
    return [
        range(stretch.start.line if stretch.start else 1, line_at[stretch.stop] if stretch.stop else _FOR_EVER)
        for stretch in stretches.open_ones(update)
    ]


_FOR_EVER = 1 << 62  # lines; no file has so many
