"""Read the records and rows of a student file with their line numbers."""

from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass

from rollbook.studentfile.limits import MAX_ROW_BYTES, Limits
from rollbook.studentfile.reading import header_search
from rollbook.studentfile.reading.encodings import normalize_encoding_name, utf8_chunks
from rollbook.studentfile.reading.header import Header
from rollbook.studentfile.reading.record_splitter import (
    FilePosition,
    are_lines,
    iter_records,
    line_breaks,
)
from rollbook.studentfile.reading.row_parser import RawRow, parse_rows
from rollbook.studentfile.reading.scan import FileScan, scan
from rollbook.studentfile.reading.skipped_lines import FooterFilter
from rollbook.studentfile.reading.source import Source

__all__ = [
    "FilePosition",
    "FileScan",
    "Header",
    "Limits",
    "RawRow",
    "RecordBatch",
    "normalize_encoding_name",
    "parse_rows",
    "read_records",
    "scan",
]

RECORDS_PER_BATCH = 5000
_MAX_BATCH_BYTES = 4_000_000  # limits the memory of a batch of long rows


@dataclass(frozen=True, slots=True)
class RecordBatch:
    """Consecutive records.

    Attributes:
        records: Bytes in UTF-8, with line ends.
        lines: The physical line on which each record begins.
        end: The position after the last record.
    """

    records: list[bytes]
    lines: list[int]
    end: FilePosition

    def rows(self, header: Header, only: Container[int] | None = None) -> list[RawRow]:
        """Return the rows, or those that begin on these lines, without blank ones."""
        records, lines = self.records, self.lines
        if only is not None:
            chosen = [at for at, line in enumerate(lines) if line in only]
            records, lines = [records[at] for at in chosen], [lines[at] for at in chosen]
        return parse_rows(records, lines, header)


def read_records(
    source: Source,
    *,
    encoding: str,
    header: Header,
    start: FilePosition | None = None,
    stop: FilePosition | None = None,
    size: int = RECORDS_PER_BATCH,
) -> Iterator[RecordBatch]:
    """Yield the records of an accepted file in batches: what is below the header, without footers.

    Blank lines and lines of dashes are included.

    Args:
        source: The file.
        encoding: The encoding of its scan.
        header: The header of its scan.
        start: A checkpoint of the scan, or the end of a batch; None for the beginning.
        stop: Such a position; None for the end of the file.
        size: Maximum number of records in a batch.

    Raises:
        ValueError: The file has another header, or its scan refused it.
        RecordTooLongError: Its scan refused the file.
    """
    first = start or FilePosition()
    chunks = utf8_chunks(source, encoding, first.byte)
    if stop:
        chunks = _take_bytes(chunks, stop.byte - first.byte)
    batches = iter_records(chunks, MAX_ROW_BYTES)
    if not stop:
        batches = FooterFilter().filter(batches)
    builder = _BatchBuilder(first)
    if not start:
        batches = _after_header(batches, header, builder)
    for records in batches:
        rest = records
        while rest:
            rest = builder.add(rest, size)
            if len(builder.records) == size or builder.bytes > _MAX_BATCH_BYTES:
                yield builder.take()
    if builder.records:
        yield builder.take()


class _BatchBuilder:
    """Collects records for the next batch and computes their lines and positions."""

    def __init__(self, position: FilePosition) -> None:
        self.records: list[bytes] = []
        self.bytes = 0
        self._lines: list[int] = []
        self._byte, self._line = position.byte, position.line

    def add(self, records: list[bytes], max_records: int) -> list[bytes]:
        """Add records until the batch is full; return the others."""
        free = max_records - len(self.records)
        added = records[:free]
        self.records += added
        if are_lines(added):
            self._lines += range(self._line, self._line + len(added))
            self._line += len(added)
        else:
            for record in added:
                self._lines.append(self._line)
                self._line += max(1, line_breaks(record)) if b'"' in record else 1
        size = sum(map(len, added))
        self._byte += size
        self.bytes += size
        return records[free:]

    def skip(self, record: bytes) -> None:
        """Advance the position past a record that belongs to no batch."""
        self._line += line_breaks(record)
        self._byte += len(record)

    def take(self) -> RecordBatch:
        """Return the batch and begin the next one."""
        batch = RecordBatch(self.records, self._lines, FilePosition(self._byte, self._line))
        self.records, self._lines, self.bytes = [], [], 0
        return batch


def _take_bytes(chunks: Iterable[bytes], size: int) -> Iterator[bytes]:
    for chunk in chunks:
        yield chunk[:size]
        size -= len(chunk)
        if size <= 0:
            return


def _after_header(
    batches: Iterator[list[bytes]], header: Header, builder: _BatchBuilder
) -> Iterator[list[bytes]]:
    """Yield the records after the header, which may have blank lines and titles above it."""
    records_left = header_search.MAX_RECORDS_SEARCHED
    for records in batches:
        for index, record in enumerate(records):
            builder.skip(record)
            if header_search.has_names(record, header):
                yield records[index + 1 :]
                yield from batches
                return
            records_left -= bool(record.strip())
        if records_left < 0:
            break
    raise ValueError("the file does not begin with the header that was scanned")
