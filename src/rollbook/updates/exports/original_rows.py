"""Return rows of an update's file as they were uploaded, without passwords.

The file is read in batches, and the database is queried for the selected rows of each batch. So
neither a large file nor a slow client holds memory or a transaction.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import chain

from rollbook.districts.local_dates import local_date
from rollbook.studentfile import writer
from rollbook.studentfile.columns import CONFIDENTIAL, Column, fold_header
from rollbook.studentfile.limits import Limits
from rollbook.studentfile.reading.header import Header
from rollbook.studentfile.reading.reader import RawRow
from rollbook.updates.checking.byte_ranges import WHOLE_FILE, ByteRange, between_checkpoints
from rollbook.updates.checking.records import FileReader
from rollbook.updates.exports import source_update
from rollbook.updates.models import UpdateJob
from rollbook.updates.receiving import files
from rollbook.updates.state_machine import PLAN_WAITING, UNFINISHED

BYTE_ORDER_MARK = "\ufeff"

LineSelection = Callable[[Sequence[int]], set[int]]
"""A function that returns the selected ones of the ascending line numbers that it gets."""


class NotEnded(Exception):
    """The update has not ended, so its rows are not final."""


class RemovedByRetention(Exception):
    """Retention has removed the data of this export; the text says which and when."""


def ensure_ended(update: UpdateJob) -> None:
    """Raise NotEnded if the update is unfinished."""
    if update.state in UNFINISHED:
        raise NotEnded


def ensure_checked(update: UpdateJob) -> None:
    """Raise NotEnded unless all rows are checked: the update has ended, or its plan waits."""
    if update.state in UNFINISHED and update.state not in PLAN_WAITING:
        raise NotEnded


def ensure_not_removed(update: UpdateJob, *, file: bool = True) -> None:
    """Check that retention has not removed the data of an export.

    Args:
        update: The update.
        file: Whether the export needs the update's file besides its details.

    Raises:
        RemovedByRetention: If retention has removed them.
    """
    if update.details_hidden_at:
        removal = _removal(update, "were", update.details_hidden_at)
        raise RemovedByRetention(f"the rows and problems of {removal}")
    if file and update.file_removed_at:
        removal = _removal(update, "was", update.file_removed_at)
        raise RemovedByRetention(f"the file of {removal}")


class OriginalRowsFile:
    """An update's file: its exportable columns, followed by ``extra_columns`` of ours.

    Args:
        update: The update.
        extra_columns: The names of our columns.
        confidential: Whether to export confidential columns, and those that Rollbook ignores,
            which may contain anything.
    """

    def __init__(self, update: UpdateJob, *extra_columns: str, confidential: bool = True) -> None:
        self._update = update
        self._extra_columns = extra_columns
        self._header = update.parse_header()
        self._file = FileReader(update, self._header)
        self._indexes = _exported_indexes(self._header, Limits().columns - len(extra_columns))
        if not confidential:
            self._indexes = [index for index in self._indexes if self._is_open(index)]
        self._has_secret = any(map(_is_secret, self._header.names, self._header.columns))

    def lines(self, rows: Iterable[list[str]]) -> Iterator[str]:
        """Return the lines of a student file with these rows.

        The file starts with a byte order mark if the district's default encoding is not UTF-8;
        otherwise the file would be read in that encoding when it is uploaded again.
        """
        # The column names are the sender's, so they may contain formulas.
        names = [writer.guard_formula(self._header.names[index]) for index in self._indexes]
        lines = writer.lines([*names, *self._extra_columns], rows)
        if self._update.district.encoding == "utf-8":
            return lines
        return chain([BYTE_ORDER_MARK], lines)

    def rows(self, select: LineSelection) -> Iterator[list[RawRow]]:
        """Return the selected rows in batches.

        Raises:
            FileMissing: At once, if the file is not stored.
        """
        files.ensure_available(self._update.spool_name, self._update.spool_digest)
        return self._rows(select)

    @property
    def columns(self) -> list[tuple[str, Column | None]]:
        """The exported columns: their names as sent, and what they are read as."""
        return [(self._header.names[index], self._header.columns[index]) for index in self._indexes]

    def rows_on(self, lines: Sequence[int]) -> list[RawRow]:
        """Return the rows on a few lines, reading only the parts of the file that have them.

        Raises:
            FileMissing: If the file is not stored.
        """
        files.ensure_available(self._update.spool_name, self._update.spool_digest)
        found: list[RawRow] = []
        for part in between_checkpoints(self._update):
            wanted = set(filter(part.lines.__contains__, lines))
            if wanted:
                found += chain.from_iterable(self._rows(wanted.intersection, part))
        return found

    def cells(self, row: RawRow) -> list[str]:
        """Return the exported cells of a row.

        In a row with more or fewer cells than the header, any cell could be the password. If the
        file has a password column, all cells of such a row are empty.
        """
        if len(row.cells) == len(self._header.names):
            return [row.cells[index] for index in self._indexes]
        if self._has_secret:
            return [""] * len(self._indexes)
        padded = [*row.cells, *[""] * len(self._header.names)]
        return [padded[index] for index in self._indexes]

    def _is_open(self, index: int) -> bool:
        column = self._header.columns[index]
        return column is not None and column.name not in CONFIDENTIAL

    def _rows(self, select: LineSelection, part: ByteRange = WHOLE_FILE) -> Iterator[list[RawRow]]:
        for batch in self._file.read(part):
            yield batch.rows(self._header, select(batch.lines))


def _removal(update: UpdateJob, verb: str, removed_at: datetime) -> str:
    day = local_date(update.district, removed_at)
    policy = f"according to the settings of {update.district.name}"
    return f"update {update.number} {verb} removed on {day}, {policy}"


def _exported_indexes(header: Header, max_columns: int) -> list[int]:
    """Return the indexes of the exported columns.

    Passwords, columns whose name suggests a password, and columns that an earlier export added
    are left out. If there are still too many, so are the columns that Rollbook ignores.
    """
    columns = zip(header.names, header.columns, strict=True)
    indexes = [index for index, column in enumerate(columns) if _is_exported(*column)]
    if len(indexes) <= max_columns:
        return indexes
    return [index for index in indexes if header.columns[index]]


def _is_exported(name: str, column: Column | None) -> bool:
    return not _is_secret(name, column) and not source_update.is_return_column(name)


def _is_secret(name: str, column: Column | None) -> bool:
    if column:
        return column.secret
    folded = fold_header(name)
    return "PASS" in folded or "PWD" in folded
