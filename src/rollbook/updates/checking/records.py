"""Read byte ranges of a student file: records, and those that are known without being read.

A lot of the file that the last file had, too, is known if all of its students are: nothing of it is
read. See ``studentfile/reading/lots.py``, and docs/decisions/0057-lots.md.
"""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import accumulate, takewhile
from typing import NamedTuple

from rollbook.studentfile.reading import encodings, reader
from rollbook.studentfile.reading.header import Header
from rollbook.studentfile.reading.lots import Lots
from rollbook.studentfile.reading.reader import FilePosition, RecordBatch, StretchReader
from rollbook.studentfile.reading.source import Source
from rollbook.updates.checking.byte_ranges import WHOLE_FILE, ByteRange
from rollbook.updates.manifest import file_lots, manifest
from rollbook.updates.manifest.student_arrays import zeros
from rollbook.updates.manifest.walk import Walk
from rollbook.updates.models import StudentFile, UpdateJob
from rollbook.updates.receiving import files

_MAX_LOTS = 1000
"""Known lots of a part."""

_STRETCH_BYTES = 1 << 20
"""A longer stretch is read in batches."""


class Part(NamedTuple):
    """Consecutive records, to be checked with others.

    Attributes:
        lines: The physical line on which each record begins.
        end: The position after the last record.
        fingerprints: The fingerprint of each record.
        student_ids: The ID of each known record's student, or ``NO_STUDENT``.
        records: The records, in UTF-8; none if all are known and weren't read.
        unknown: Where the unknown ones are among the records.
    """

    lines: Sequence[int]
    end: FilePosition
    fingerprints: "array[int]"
    student_ids: "array[int]"
    records: Sequence[bytes] = ()
    unknown: Sequence[int] = ()


class FileReader:
    """Reads the byte ranges of a stored file, at most so many records at a time."""

    def __init__(
        self, stored: StudentFile, header: Header, size: int = reader.RECORDS_PER_BATCH
    ) -> None:
        self._stored, self._header, self.size = stored, header, size

    @cached_property
    def _file(self) -> Source:
        return files.open_stored(self._stored.spool_name)

    def read(self, byte_range: ByteRange = WHOLE_FILE) -> Iterator[RecordBatch]:
        """Yield all records of a byte range."""
        return reader.read_records(
            self._file,
            encoding=self._stored.detected_encoding,
            header=self._header,
            start=byte_range.start,
            stop=byte_range.stop,
            size=self.size,
        )

    def find_known_lots(self, update: UpdateJob, key: bytes, known: Walk) -> "KnownLots | None":
        """Return which lots are known; None if the file can't be compared with the last one.

        Args:
            update: The update whose file it is.
            key: The key of the file's fingerprints.
            known: The records that are known.
        """
        last = manifest.find(update.district_id, key)
        if not last or not known.students or update.detected_encoding != encodings.UTF_8:
            return None
        lots = file_lots.of_updates(update, last.update_id)
        if not lots or sum(lots[1].records) + manifest.count_carried(last) != len(known.students):
            return None
        return KnownLots(self, StretchReader(self._file), *lots, known)


class KnownLots:
    """The lots of an update's file, and which of them are known."""

    def __init__(
        self, file: FileReader, stretches: StretchReader, lots: Lots, last: Lots, known: Walk
    ) -> None:
        self._file, self._stretches, self._known = file, stretches, known
        self._bytes = array("Q", lots.first_bytes())
        self._lines = array("Q", lots.first_lines())
        self._last_starts = array("Q", accumulate(last.records, initial=0))
        self._found = self._find(lots, last)

    def _find(self, lots: Lots, last: Lots) -> "array[int]":
        """Return the number of each lot among those of the last file, from 1 on, or 0."""
        numbers = array("i", range(1, len(last) + 1))
        for position in takewhile(self._last_starts[-1].__gt__, zeros(self._known.students)):
            numbers[bisect_right(self._last_starts, position) - 1] = 0
        for lot in zeros(last.hashes):  # NOT_PLAIN
            numbers[lot] = 0
        return Walk(last.hashes, numbers).find(lots.hashes)

    @cached_property
    def known_share(self) -> float:
        """The share of the file's lots that are known."""
        return 1 - self._found.count(0) / max(1, len(self._found))

    def read(self, byte_range: ByteRange) -> Iterator[RecordBatch | Part]:
        """Yield the records of a byte range; those of known lots without reading them."""
        start = byte_range.start or self._position(0)
        stop = byte_range.stop or self._position(len(self._found))
        lot = bisect_left(self._bytes, start.byte)
        while lot < len(self._found) and self._bytes[lot + 1] <= stop.byte:
            size = self._known_run(lot, stop.byte)
            if size:
                yield from self._read_stretch(start, self._position(lot))
                yield self._known_part(lot, size)
                start = self._position(lot + size)
            lot += size or 1
        if byte_range.stop is None:
            yield from self._file.read(ByteRange(start, None))
        else:
            yield from self._read_stretch(start, stop)

    def _known_part(self, lot: int, size: int) -> Part:
        """Return so many known lots, from one on; the walk continues after them."""
        number, known = self._found[lot] - 1, self._known
        records = slice(self._last_starts[number], self._last_starts[number + size])
        known.move_to(records.stop)
        end = self._position(lot + size)
        lines = range(self._lines[lot], end.line)
        return Part(lines, end, known.fingerprints[records], known.students[records])

    def _known_run(self, first: int, stop: int) -> int:
        """Return how many lots, from one on, follow each other in the last file, too."""
        found, number = self._found, self._found[first]
        if not number:
            return 0
        last = min(first + _MAX_LOTS, len(found))
        lot = first + 1
        while lot < last and found[lot] == number + lot - first and self._bytes[lot + 1] <= stop:
            lot += 1
        return lot - first

    def _read_stretch(self, start: FilePosition, stop: FilePosition) -> Iterator[RecordBatch]:
        """Yield the records between two positions, not at the end of the file."""
        if start.byte == stop.byte:
            return
        batch = None
        if stop.byte - start.byte <= _STRETCH_BYTES:
            batch = self._stretches.read(start, stop)
        if batch is None or len(batch.records) > self._file.size:
            yield from self._file.read(ByteRange(start, stop))
        else:
            yield batch

    def _position(self, lot: int) -> FilePosition:
        return FilePosition(self._bytes[lot], self._lines[lot])
