"""Make a new student file of rejected rows whose cells a person has edited."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from io import StringIO

from rollbook.accounts.models import Member
from rollbook.studentfile import writer
from rollbook.studentfile.columns import CONFIDENTIAL
from rollbook.updates.exports import source_update, students_shown
from rollbook.updates.exports.original_rows import (
    OriginalRowsFile,
    ensure_ended,
    ensure_not_removed,
)
from rollbook.updates.models import UpdateJob
from rollbook.updates.receiving import drafts
from rollbook.updates.receiving.files import IncomingFile
from rollbook.updates.receiving.receive import Receipt
from rollbook.updates.state_machine import Mode

MAX_CELL_LENGTH = 2000
ENCODING = "utf-8"

Edits = Mapping[int, Mapping[int, str]]
"""Line -> index of the column -> the new text of the cell."""


@dataclass(frozen=True)
class EditableColumn:
    """A column of the file.

    Attributes:
        name: Its name as sent.
        known: The name of the column that it is read as; empty for one that isn't read.
    """

    name: str
    known: str

    def is_open(self) -> bool:
        """Whether people see it who don't see confidential columns."""
        return bool(self.known) and self.known not in CONFIDENTIAL


class RejectedRows:
    """The columns of an update's file without passwords, and its rejected rows on some lines.

    Args:
        update: The update.
        lines: The lines; those of rows that aren't rejected are left out.

    Attributes:
        columns: The columns.
        cells: The cells of each row, by its line.
        students: The primary keys of the students whom the rows are about.

    Raises:
        NotEnded: If the update has not ended.
        RemovedByRetention: If the file or the details of the update have been removed.
        FileMissing: If the file is missing for another reason.
    """

    def __init__(self, update: UpdateJob, lines: Sequence[int]) -> None:
        ensure_ended(update)
        ensure_not_removed(update)
        rejected = update.stagedrow_set.rejected().filter(line__in=lines)
        original = OriginalRowsFile(update)
        rows = original.rows_on(list(rejected.order_by("line").values_list("line", flat=True)))
        self._update = update
        self.columns = [
            EditableColumn(name, column.name if column else "") for name, column in original.columns
        ]
        self.cells = {row.line: original.cells(row) for row in rows}
        self.students = students_shown.in_file_rows(update, iter([rows])) if rows else set()

    def edited(self, edits: Edits) -> dict[int, list[str]]:
        """Return the cells of the rows in which at least one cell was changed, by line."""
        changed = {}
        for line, cells in self.cells.items():
            new = list(cells)
            for index, text in edits.get(line, {}).items():
                if index < len(new) and text != as_input(new[index]):
                    new[index] = text[:MAX_CELL_LENGTH]
            if new != cells:
                changed[line] = new
        return changed

    def apply(self, edited: Mapping[int, Sequence[str]], member: Member, now: datetime) -> Receipt:
        """Start an update of these rows, in the mode of the update that rejected them.

        Raises:
            ModeNotAllowed: The district doesn't allow the mode on pages.
            QueueFull: Too many updates are waiting.
            QuotaExceeded: The district keeps too many bytes.
            DistrictSuspended: The district is suspended.
        """
        incoming = IncomingFile()
        incoming.write(self._text_of(edited).encode())
        name = f"update-{self._update.number}-fixed.csv"
        draft = drafts.create_draft(member, incoming, file_name=name, encoding=ENCODING, now=now)
        try:
            return drafts.submit_draft(draft, Mode(self._update.mode))
        except Exception:
            drafts.discard_draft(draft)
            raise

    def _text_of(self, edited: Mapping[int, Sequence[str]]) -> str:
        line_column = source_update.line_column(self._update.number)
        names = [writer.guard_formula(column.name) for column in self.columns]
        rows = [[*cells, str(line)] for line, cells in edited.items()]
        file = StringIO(newline="")
        writer.write(file, [*names, line_column], rows)
        return file.getvalue()


def as_input(cell: str) -> str:
    """Return the cell as a browser sends it back from a field of one line."""
    return cell.replace("\r", "").replace("\n", "")
