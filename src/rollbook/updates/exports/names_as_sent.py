"""Find the names in rejected rows as they were sent; the database has them in lower case only."""

from collections.abc import Sequence
from dataclasses import replace

from rollbook.text import printable
from rollbook.updates.exports.original_rows import OriginalRowsFile
from rollbook.updates.models import UpdateJob
from rollbook.updates.receiving.files import FileMissing
from rollbook.updates.reporting.rows import RowView
from rollbook.updates.state_machine import Outcome

NAME_COLUMNS = ("FIRST_NAME", "LAST_NAME")
MAX_NAME_LENGTH = 200
MAX_ROWS = 25
"""Of more such rows, too many parts of a large file would be read for one page."""


def with_names_as_sent(update: UpdateJob, rows: Sequence[RowView]) -> list[RowView]:
    """Return the rows; those about nobody who is enrolled with the names of the file, if stored."""
    unknown = [row.number for row in rows if _is_unknown(row)]
    if not unknown or len(unknown) > MAX_ROWS or update.file_removed_at:
        return list(rows)
    names = _names_on(update, unknown)
    named = []
    for row in rows:
        name = names.get(row.number)
        if row.student and name:
            named.append(replace(row, student=replace(row.student, name=name)))
        else:
            named.append(row)
    return named


def _is_unknown(row: RowView) -> bool:
    student = row.student
    return bool(
        row.outcome == Outcome.REJECTED and student and student.key is None and student.name
    )


def _names_on(update: UpdateJob, lines: Sequence[int]) -> dict[int, str]:
    original = OriginalRowsFile(update)
    known = [column.name if column else "" for _, column in original.columns]
    if not set(NAME_COLUMNS) <= set(known):
        return {}
    first, last = (known.index(name) for name in NAME_COLUMNS)
    names = {}
    try:
        found = original.rows_on(lines)
    except FileMissing:
        return {}
    for row in found:
        cells = original.cells(row)
        name = " ".join(f"{cells[first]} {cells[last]}".split())
        names[row.line] = printable(name, MAX_NAME_LENGTH)
    return names
