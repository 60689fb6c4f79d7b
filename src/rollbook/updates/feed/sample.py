"""Read a few thousand rows of a stored file, from everywhere in it, without reading all of it.

Of a file that is read through a column mapping, the cells are those that the mapping makes.
"""

from collections.abc import Iterator
from itertools import islice

from rollbook.studentfile.reading.header import Header
from rollbook.studentfile.reading.reader import RawRow, parse_rows
from rollbook.studentfile.shape import MAX_RECORDS
from rollbook.updates.checking.byte_ranges import between_checkpoints
from rollbook.updates.checking.records import FileReader
from rollbook.updates.models import UpdateJob

MAX_RECORDS_READ = 20_000
"""Records that are read to take some of them: all of a file that has no more."""


def header_of_cells(header: Header) -> Header:
    """Return the header of the cells that are read: with a mapping, one of Rollbook's columns."""
    if header.reading is None:
        return header
    return Header.parse([column.name for column in header.reading.columns])[0]


def sample(update: UpdateJob, header: Header) -> list[list[str]]:
    """Return the cells of at most ``MAX_RECORDS`` rows that were read without loss.

    Of each part of the file between two positions at which reading can begin, as many rows are
    taken, at equal distances. The result depends on nothing but the file.
    """
    rows: list[list[str]] = []
    parts = between_checkpoints(update)
    size = max(1, MAX_RECORDS // len(parts))
    file = FileReader(update, header, max(size, MAX_RECORDS_READ // len(parts)))
    for part in parts:
        for batch in islice(file.read(part), 1):
            stride = -(-len(batch.records) // size)
            parsed = parse_rows(batch.records[::stride], batch.lines[::stride], header)
            rows += [_cells(row, header) for row in parsed if row.damage is None]
    return rows


def all_cells(update: UpdateJob, header: Header, index: int) -> Iterator[str]:
    """Yield the cells of a column of ``header_of_cells``, of all rows that were read without loss.

    Rows that don't have the column are left out.
    """
    for batch in FileReader(update, header).read():
        for row in batch.rows(header):
            cells = _cells(row, header) if row.damage is None else []
            if index < len(cells):
                yield cells[index].strip()


def _cells(row: RawRow, header: Header) -> list[str]:
    return header.read_through(row.cells) if header.reading else row.cells
