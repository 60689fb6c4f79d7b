"""Read byte ranges of a student file: records, and those that are known without being read.

A lot of the file that the last file had, too, is known if all of its students are: nothing of it is
read. See ``studentfile/reading/lots.py``, and docs/decisions/0057-lots.md.
"""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, takewhile

from rollbook.studentfile.reading import encodings, reader
from rollbook.studentfile.reading.header import Header
from rollbook.studentfile.reading.lots import Lots
from rollbook.studentfile.reading.reader import FilePosition, RecordBatch, StretchReader
from rollbook.studentfile.reading.source import Source
from rollbook.updates.checking.byte_ranges import ByteRange
from rollbook.updates.manifest import file_lots, manifest
from rollbook.updates.manifest.student_arrays import zeros
from rollbook.updates.manifest.walk import Walk
from rollbook.updates.models import UpdateJob
from rollbook.updates.receiving import files

READ_RECORDS = 16_000
"""Records that are read and looked up at a time."""

_MAX_LOTS = 1000
"""Known lots of a piece."""

_STRETCH_BYTES = 1 << 20
"""A longer stretch is read in batches."""


@dataclass(frozen=True, slots=True)
class ReadRecords:
    """Records that were read.

    Attributes:
        batch: The records.
        position: Where the last file continues after the known lots before them, as a number of
            records; None: where the walk is.
    """

    batch: RecordBatch
    position: int | None = None


@dataclass(frozen=True, slots=True)
class KnownRecords:
    """Records of one line each that are known, and weren't read.

    Attributes:
        positions: Where they are among the records of the last file.
        first_line: The line of the first one.
        end: The position after the last one.
    """

    positions: slice
    first_line: int
    end: FilePosition


class FileReader:
    """Reads the byte ranges of an update's file."""

    def __init__(self, update: UpdateJob, header: Header) -> None:
        self._update, self._header = update, header

    @cached_property
    def _file(self) -> Source:
        return files.open_stored(self._update.spool_name)

    def read(self, byte_range: ByteRange, position: int | None = None) -> Iterator[ReadRecords]:
        """Yield all records of a byte range.

        Args:
            byte_range: The byte range.
            position: As that of the first records.
        """
        batches = reader.read_records(
            self._file,
            encoding=self._update.detected_encoding,
            header=self._header,
            start=byte_range.start,
            stop=byte_range.stop,
            size=READ_RECORDS,
        )
        for batch in batches:
            yield ReadRecords(batch, position)
            position = None

    def find_known_lots(self, key: bytes, known: Walk) -> "KnownLots | None":
        """Return which lots are known; None if the file can't be compared with the last one.

        Args:
            key: The key of the file's fingerprints.
            known: The records that are known.
        """
        last = manifest.find(self._update.district_id, key)
        if not last or not known.students or self._update.detected_encoding != encodings.UTF_8:
            return None
        lots = file_lots.of_updates(self._update, last.update_id)
        if not lots or sum(lots[1].records) + manifest.count_carried(last) != len(known.students):
            return None
        return KnownLots(self, StretchReader(self._file), *lots, known)


class KnownLots:
    """The lots of an update's file, and which of them are known."""

    def __init__(
        self, file: FileReader, stretches: StretchReader, lots: Lots, last: Lots, known: Walk
    ) -> None:
        self._file, self._stretches = file, stretches
        self._bytes = array("Q", lots.first_bytes())
        self._lines = array("Q", lots.first_lines())
        self._last_starts = array("Q", accumulate(last.records, initial=0))
        self._found = self._find(lots, last, known)

    def _find(self, lots: Lots, last: Lots, known: Walk) -> "array[int]":
        """Return the number of each lot among those of the last file, from 1 on, or 0."""
        numbers = array("i", range(1, len(last) + 1))
        for position in takewhile(self._last_starts[-1].__gt__, zeros(known.students)):
            numbers[bisect_right(self._last_starts, position) - 1] = 0
        for lot in zeros(last.hashes):  # NOT_PLAIN
            numbers[lot] = 0
        return Walk(last.hashes, numbers).find(lots.hashes)

    @cached_property
    def known_share(self) -> float:
        """The share of the file's lots that are known."""
        return 1 - self._found.count(0) / max(1, len(self._found))

    def read(self, byte_range: ByteRange) -> Iterator[ReadRecords | KnownRecords]:
        """Yield the records of a byte range; those of known lots without reading them."""
        start = byte_range.start or self._position(0)
        stop = self._bytes[-1] if byte_range.stop is None else byte_range.stop
        lot, position = bisect_left(self._bytes, start.byte), None
        while lot < len(self._found) and self._bytes[lot + 1] <= stop:
            size = self._known_run(lot, stop)
            if not size:
                lot += 1
                continue
            yield from self._read_stretch(start, self._bytes[lot], position)
            number = self._found[lot] - 1
            lot, begin = lot + size, lot
            positions = slice(self._last_starts[number], self._last_starts[number + size])
            start, position = self._position(lot), positions.stop
            yield KnownRecords(positions, self._lines[begin], start)
        if byte_range.stop is None:
            yield from self._file.read(ByteRange(start, None), position)
        else:
            yield from self._read_stretch(start, stop, position)

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

    def _read_stretch(
        self, start: FilePosition, stop: int, position: int | None
    ) -> Iterator[ReadRecords]:
        """Yield the records between two positions, not at the end of the file."""
        if start.byte == stop:
            return
        batch = None
        if stop - start.byte <= _STRETCH_BYTES:
            batch = self._stretches.read(start, stop)
        if batch is None:
            yield from self._file.read(ByteRange(start, stop), position)
        else:
            yield ReadRecords(batch, position)

    def _position(self, lot: int) -> FilePosition:
        return FilePosition(self._bytes[lot], self._lines[lot])
