"""Rows of an update's file as they were sent, but for passwords: what goes back to the district to be sent once more.

The file goes by a stretch at a time, and of each stretch the database is asked which rows are wanted: neither a large
file nor a slow reader of ours holds anything up.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import chain

from rollbook.districts.local_dates import local_date
from rollbook.studentfile import writer
from rollbook.studentfile.columns import Column, fold_header
from rollbook.studentfile.limits import Limits
from rollbook.studentfile.reading import reader
from rollbook.studentfile.reading.header import Header
from rollbook.studentfile.reading.reader import RawRow
from rollbook.updates.exports import source_update
from rollbook.updates.models import UpdateJob
from rollbook.updates.receiving import files
from rollbook.updates.state_machine import UNFINISHED

BYTE_ORDER_MARK = "\ufeff"

Choice = Callable[[Sequence[int]], set[int]]
"""Of some ascending lines those whose rows are wanted."""


class NotEnded(Exception):
    """The update goes on, and what it will leave is not known yet."""


class RemovedByRetention(Exception):
    """Retention has removed what this would be made of; the text says what and when."""


def ensure_ended(update: UpdateJob) -> None:
    """Raises NotEnded if anything may still happen to the update."""
    if update.state in UNFINISHED:
        raise NotEnded


def ensure_not_removed(update: UpdateJob, *, file: bool = True) -> None:
    """Raises Removed if retention has taken the update's details or, where that is needed, its ``file``."""
    if update.details_hidden_at:
        raise RemovedByRetention(
            f"the rows and problems of {_by_retention(update, 'were', update.details_hidden_at)}"
        )
    if file and update.file_removed_at:
        raise RemovedByRetention(
            f"the file of {_by_retention(update, 'was', update.file_removed_at)}"
        )


class OriginalRowsFile:
    """An update's file, of which the columns go out that may, and behind them those of ours: ``about``."""

    def __init__(self, update: UpdateJob, *about: str) -> None:
        self._update = update
        self._about = about
        self._header, _ = Header.parse(update.header)
        self._kept = _kept(self._header, Limits().columns - len(about))
        self._has_secret = any(map(_is_secret, self._header.names, self._header.columns))

    def lines(self, rows: Iterable[list[str]]) -> Iterator[str]:
        """The student file with these rows.

        It begins with a byte order mark if the district's files are read as something else, so that this one is not.
        """
        names = [
            writer.guard_formula(self._header.names[at]) for at in self._kept
        ]  # whoever sent the file chose them
        lines = writer.lines([*names, *self._about], rows)
        return (
            lines if self._update.district.encoding == "utf-8" else chain([BYTE_ORDER_MARK], lines)
        )

    def rows(self, choice: Choice) -> Iterator[list[RawRow]]:
        """The chosen rows, some at a time. Raises spool.LostFile, at once, if the file is not kept any more."""
        files.ensure_available(self._update.spool_name, self._update.file_digest)
        return self._rows(choice)

    def cells(self, row: RawRow) -> list[str]:
        """In a row of another length than the header's nobody knows which cell is the password: none goes out."""
        if len(row.cells) != len(self._header.names):
            if self._has_secret:
                return [""] * len(self._kept)
            return [row.cells[at] if at < len(row.cells) else "" for at in self._kept]
        return [row.cells[at] for at in self._kept]

    def _rows(self, choice: Choice) -> Iterator[list[RawRow]]:
        path = files.path_of(self._update.spool_name)
        for some in reader.read_records(
            path, encoding=self._update.detected_encoding, header=self._header
        ):
            wanted = choice(some.lines)
            here = [at for at, line in enumerate(some.lines) if line in wanted]
            if here:
                records, lines = [some.records[at] for at in here], [some.lines[at] for at in here]
                yield reader.parse_rows(records, lines, self._header)


def _by_retention(update: UpdateJob, verb: str, at: datetime) -> str:
    day = local_date(update.district, at)
    return f"update {update.number} {verb} removed on {day}, as the settings of {update.district.name} have it"


def _kept(header: Header, most: int) -> list[int]:
    """The columns that go out: none that is, or calls itself, a password, and none of ours from an earlier time.

    If they are too many, those go that nobody reads.
    """
    columns = enumerate(zip(header.names, header.columns, strict=True))
    kept = [
        at
        for at, (name, column) in columns
        if not _is_secret(name, column) and not source_update.is_return_column(name)
    ]
    return kept if len(kept) <= most else [at for at in kept if header.columns[at]]


def _is_secret(name: str, column: Column | None) -> bool:
    if column:
        return column.secret
    folded = fold_header(name)
    return "PASS" in folded or "PWD" in folded
