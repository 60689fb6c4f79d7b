"""Read the header and the first rows of a file whose columns may not be understood."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice

from rollbook.studentfile.limits import Limits
from rollbook.studentfile.reading import encodings, header_search, record_splitter
from rollbook.studentfile.reading.source import Source

SAMPLE_ROWS = 500
"""Rows that are looked at to propose a mapping."""


@dataclass(frozen=True)
class Sample:
    """The header and the first rows of a file.

    Attributes:
        names: The cells of the header.
        rows: The line and the cells of each row, as many cells as the header has.
    """

    names: tuple[str, ...]
    rows: tuple[tuple[int, tuple[str, ...]], ...]

    @property
    def cells(self) -> Sequence[Sequence[str]]:
        """The cells of the rows."""
        return [cells for _, cells in self.rows]


def read_sample(source: Source, encoding: str) -> Sample | None:
    """Return the sample of a file that is CSV; None if it has no header and rows.

    The header is the one that the scan finds, or else the first line that isn't blank. Lines of
    another number of cells are left out.

    Args:
        source: The file.
        encoding: The encoding that was detected.
    """
    records = islice(_records(source, encoding), SAMPLE_ROWS + header_search.MAX_RECORDS_SEARCHED)
    filled = [(line, record) for line, record in records if record.strip()]
    only_records = [record for _, record in filled]
    if not filled:
        return None
    at = header_search.find_header(only_records)
    names = record_splitter.parse_record(only_records[at])
    if not names or len(names) > Limits().columns or b"\0" in only_records[at]:
        return None
    parsed = ((line, record_splitter.parse_record(record)) for line, record in filled[at + 1 :])
    fitting = ((line, tuple(cells)) for line, cells in parsed if cells and len(cells) == len(names))
    return Sample(tuple(names), tuple(islice(fitting, SAMPLE_ROWS)))


def _records(source: Source, encoding: str) -> Iterator[tuple[int, bytes]]:
    """Yield each record with its line, up to one that can't be read."""
    line = 1
    try:
        batches = record_splitter.iter_records(
            encodings.utf8_chunks(source, encoding), Limits().row_bytes
        )
        for record in chain.from_iterable(batches):
            yield line, record
            line += record_splitter.line_breaks(record)
    except (record_splitter.RecordTooLongError, UnicodeDecodeError):
        return
