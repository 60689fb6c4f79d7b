"""The rejected rows of an update as a student file: repaired, it can be sent as it is."""

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import TextIO

from rollbook.cli.failures import Failure
from rollbook.format import reader, writer
from rollbook.format.columns import fold_header
from rollbook.format.header import Header
from rollbook.format.limits import Limits
from rollbook.format.problems import Problem, Severity
from rollbook.format.reader import RawRow
from rollbook.updates import spool
from rollbook.updates.models import Row, Update
from rollbook.updates.moves import Outcome
from rollbook.updates.report import problems

ABOUT = ("_LINE", "_CODE", "_MESSAGE")


def write(update: Update, file: TextIO) -> int:
    """Write them in the order of the file, as they were sent but for passwords; returns how many.

    Open the file with newline="" and UTF-8. It begins with a byte order mark if the district's files are read as
    something else, so that this one is not.
    """
    header, _ = Header.parse(update.header)
    kept = _kept(header)
    if update.district.encoding != "utf-8":
        file.write("\ufeff")
    names = (writer.neutralised(header.names[at]) for at in kept)  # whoever sent the file chose them
    return writer.write(file, [*names, *ABOUT], _rows(update, header, kept))


def _rows(update: Update, header: Header, kept: list[int]) -> Iterator[list[str]]:
    errors = groupby(
        (problem for problem in problems(update) if problem.line and problem.severity is Severity.ERROR),
        key=lambda problem: problem.line,
    )
    line, found = next(errors, (None, iter(())))
    for row in _raw_rows(update, header):
        while line is not None and line < row.line:
            line, found = next(errors, (None, iter(())))
        of_row = list(found) if line == row.line else []
        yield [*_cells(row, header, kept), str(row.line), *_said(of_row)]


def _raw_rows(update: Update, header: Header) -> Iterator[RawRow]:
    lines = set(Row.objects.filter(update=update, outcome=Outcome.REJECTED).values_list("line", flat=True))
    if not lines:
        return
    try:
        spool.require_whole(update.spool_name, update.file_digest)
    except spool.LostFile:
        raise Failure(
            "file_gone", f"the file of update {update.number} is not kept any more; take the district's own copy of it"
        ) from None
    path = spool.path_of(update.spool_name)
    for batch in reader.read_batches(path, encoding=update.read_as, header=header, only=lines):
        yield from batch.rows


def _kept(header: Header) -> list[int]:
    """The columns that go out: none that is, or calls itself, a password, and none of ours from an earlier time.

    If with ours they were too many for a student file, those go that nobody reads.
    """
    kept = [at for at, name in enumerate(header.names) if not _is_secret(header, at) and fold_header(name) not in ABOUT]
    if len(kept) + len(ABOUT) > Limits().columns:
        kept = [at for at in kept if header.columns[at]]
    return kept


def _is_secret(header: Header, at: int) -> bool:
    column = header.columns[at]
    if column:
        return column.secret
    folded = fold_header(header.names[at])
    return "PASS" in folded or "PWD" in folded


def _cells(row: RawRow, header: Header, kept: list[int]) -> list[str]:
    """In a row of another length than the header's nobody knows which cell is the password: none goes out."""
    if len(row.cells) != len(header.names):
        if any(_is_secret(header, at) for at in range(len(header.names))):
            return [""] * len(kept)
        return [row.cells[at] if at < len(row.cells) else "" for at in kept]
    return [row.cells[at] for at in kept]


def _said(found: Iterable[Problem]) -> tuple[str, str]:
    """All codes, and all messages."""
    listed = list(found)
    messages = (f"{problem.column}: {problem.message}" if problem.column else problem.message for problem in listed)
    return " ".join(dict.fromkeys(problem.code for problem in listed)), " | ".join(messages)
