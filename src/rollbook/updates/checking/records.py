"""Read byte ranges of a student file: records, and which of them are known.

Rows that the last file has, too, are known if their students are: they aren't even read. See
``studentfile/reading/lots.py``, and docs/decisions/0080-text-of-the-last-file.md.
"""

from array import array
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from io import BufferedReader
from typing import NamedTuple

from rollbook.studentfile.reading import encodings, reader
from rollbook.studentfile.reading.header import Header
from rollbook.studentfile.reading.lots import NEW, NOT_PLAIN, Lots
from rollbook.studentfile.reading.reader import FilePosition, RecordBatch
from rollbook.studentfile.reading.record_splitter import line_breaks, split_records
from rollbook.studentfile.reading.source import Source
from rollbook.updates.checking.byte_ranges import WHOLE_FILE, ByteRange
from rollbook.updates.manifest import file_lots, manifest
from rollbook.updates.manifest.fingerprints import RowFingerprinter
from rollbook.updates.manifest.student_arrays import NO_STUDENT, zeros
from rollbook.updates.manifest.walk import WINDOW, Walk
from rollbook.updates.models import StudentFile, UpdateJob
from rollbook.updates.receiving import files

_MAX_RECORDS = 20_000
"""Records of a part, most of which are known."""


class Part(NamedTuple):
    """Consecutive records, to be checked with others.

    Attributes:
        lines: The physical line on which each record begins.
        end: The position after the last record.
        fingerprints: The fingerprint of each record.
        student_ids: The ID of each known record's student, or ``NO_STUDENT``.
        unknown: Where the unknown ones are among the records.
        unknown_records: The unknown ones, in UTF-8.
    """

    lines: Sequence[int]
    end: FilePosition
    fingerprints: "array[int]"
    student_ids: "array[int]"
    unknown: Sequence[int]
    unknown_records: Sequence[bytes]


class FileReader:
    """Reads the byte ranges of a stored file, at most so many records at a time."""

    def __init__(
        self, stored: StudentFile, header: Header, size: int = reader.RECORDS_PER_BATCH
    ) -> None:
        self._stored, self._header, self.size = stored, header, size

    @cached_property
    def source(self) -> Source:
        """The stored file."""
        return files.open_stored(self._stored.spool_name)

    def read(self, byte_range: ByteRange = WHOLE_FILE) -> Iterator[RecordBatch]:
        """Yield all records of a byte range."""
        return reader.read_records(
            self.source,
            encoding=self._stored.detected_encoding,
            header=self._header,
            start=byte_range.start,
            stop=byte_range.stop,
            size=self.size,
        )


class RecordFinder:
    """Reads byte ranges of an update's file, and finds out which records are known.

    Args:
        update: The update.
        file: Reads its file.
        fingerprinter: Computes the fingerprints of its records.
        known: The records that are known.
    """

    def __init__(
        self, update: UpdateJob, file: FileReader, fingerprinter: RowFingerprinter, known: Walk
    ) -> None:
        self._file, self._fingerprinter, self._known = file, fingerprinter, known
        lots = _comparable_lots(update, fingerprinter.key, known)
        self._lots = lots or Lots()
        self._bytes = array("Q", self._lots.first_bytes())
        self._lines = array("Q", self._lots.first_lines())
        self._unlinked = array("Q", zeros(known.students) if lots else ())

    @property
    def known_share(self) -> float:
        """The share of the file's records that the last file has, too."""
        each_lot = zip(self._lots.sources, self._lots.records, strict=True)
        equal = sum(records for source, records in each_lot if source >= 0)
        return equal / max(1, sum(self._lots.records))

    def read(self, byte_range: ByteRange) -> Iterator[Part]:
        """Yield the records of a byte range; known ones that the last file has aren't read."""
        start, stop = byte_range.start, byte_range.stop
        lot = bisect_left(self._bytes, start.byte) if start else 0
        end = bisect_left(self._bytes, stop.byte + 1) - 1 if stop else len(self._lots)
        if lot >= end:
            yield from self._read_all(start, stop)
            return
        if start and start.byte < self._bytes[lot]:
            yield from self._read_all(start, self._position(lot))
        while lot < end:
            following = self._end_of_part(lot, end)
            if self._is_large(lot):
                yield from self._read_all(self._position(lot), self._position(following))
            else:
                yield self._read_lots(range(lot, following))
            lot = following
        if stop and self._bytes[end] < stop.byte:
            yield from self._read_all(self._position(end), stop)

    def _read_all(self, start: FilePosition | None, stop: FilePosition | None) -> Iterator[Part]:
        """Read all records between two positions, and look them up."""
        for batch in self._file.read(ByteRange(start, stop)):
            fingerprints = self._fingerprinter.compute(batch.records)
            students = self._known.find(fingerprints)
            unknown = [*zeros(students)]
            records = [batch.records[at] for at in unknown]
            yield Part(batch.lines, batch.end, fingerprints, students, unknown, records)

    def _end_of_part(self, first: int, end: int) -> int:
        """Return the lot before which a part ends: not too many records, known or not."""
        records = unknown = 0
        for lot in range(first, end):
            source, count = self._lots.sources[lot], self._lots.records[lot]
            records += count
            unknown += count if source < 0 else len(self._find_unlinked(source, count))
            is_full = records > _MAX_RECORDS or unknown > self._file.size
            if lot > first and (is_full or self._is_large(first)):
                return lot
        return end

    def _is_large(self, lot: int) -> bool:
        """Return whether a lot has to be read, and has too many records for a part."""
        return self._lots.sources[lot] < 0 and self._lots.records[lot] > self._file.size

    def _find_unlinked(self, source: int, count: int) -> "array[int]":
        """Return which of so many records of the last file, from one on, have no known student."""
        first = bisect_left(self._unlinked, source)
        return self._unlinked[first : bisect_left(self._unlinked, source + count, first)]

    def _read_lots(self, lots: range) -> Part:
        """Return the records of lots; of text that the last file has, only what isn't known."""
        known = self._known
        fingerprints, students = array("q"), array(known.students.typecode)
        unknown: list[int] = []
        unknown_records: list[bytes] = []
        odd: dict[int, list[bytes]] = {}
        for lot in lots:
            source, count = self._lots.sources[lot], self._lots.records[lot]
            records: list[bytes] = []
            if source >= 0:
                known.move_to(source + count)
                fingerprints += known.fingerprints[source : source + count]
                found = known.students[source : source + count]
                missing = [at - source for at in self._find_unlinked(source, count)]
                if missing:
                    records = self._text(lot).splitlines(keepends=True)
            else:
                records = self._text(lot).splitlines(keepends=True)
                if source == NOT_PLAIN:
                    records = odd[lot] = split_records(b"".join(records), final=True)[0]
                computed = self._fingerprinter.compute(records)
                fingerprints += computed
                found = self._search(computed, lot)
                missing = [*zeros(found)]
            unknown += map(len(students).__add__, missing)
            unknown_records += map(records.__getitem__, missing)
            students += found
        self._restore_erased(fingerprints, unknown, unknown_records)
        end = self._position(lots.stop)
        lines = self._lines_of(lots, odd)
        return Part(lines, end, fingerprints, students, unknown, unknown_records)

    def _search(self, fingerprints: "array[int]", lot: int) -> "array[int]":
        """Return the students of a lot's records that the last file has elsewhere.

        A few new rows between equal ones are rarely in it, and are checked otherwise.
        """
        if len(fingerprints) < WINDOW and self._is_between_equal_lots(lot):
            return array(self._known.students.typecode, [NO_STUDENT]) * len(fingerprints)
        return self._known.find(fingerprints)

    def _is_between_equal_lots(self, lot: int) -> bool:
        """Return whether a lot has new rows, and is between two that the last file has."""
        sources = self._lots.sources
        if sources[lot] != NEW or not 0 < lot < len(sources) - 1:
            return False
        return sources[lot - 1] >= 0 and sources[lot + 1] >= 0

    def _restore_erased(
        self, fingerprints: "array[int]", unknown: Sequence[int], records: Sequence[bytes]
    ) -> None:
        """Compute the fingerprints that were removed from the manifest with their student."""
        for at, record in zip(unknown, records, strict=True):
            if not fingerprints[at]:
                fingerprints[at] = self._fingerprinter.compute([record])[0]

    def _lines_of(self, lots: range, odd: Mapping[int, Sequence[bytes]]) -> Sequence[int]:
        """Return the line on which each record begins, given the records that aren't plain."""
        all_lines = range(self._lines[lots.start], self._lines[lots.stop])
        if len(all_lines) == sum(self._lots.records[lots.start : lots.stop]):
            return all_lines
        lines = array("q")
        for lot in lots:
            line = self._lines[lot]
            if lot not in odd:
                lines.extend(range(line, self._lines[lot + 1]))
            for record in odd.get(lot, ()):
                lines.append(line)
                line += max(1, line_breaks(record))
        return lines

    @cached_property
    def _stored(self) -> tuple[BufferedReader, int]:
        """The open file, and where its text begins."""
        file = self._file.source.open("rb")
        return file, encodings.bytes_of_boms(file)

    def _text(self, lot: int) -> bytes:
        file, start = self._stored
        file.seek(start + self._bytes[lot])
        return file.read(self._lots.sizes[lot])

    def _position(self, lot: int) -> FilePosition:
        return FilePosition(self._bytes[lot], self._lines[lot])


def _comparable_lots(update: UpdateJob, key: bytes, known: Walk) -> Lots | None:
    """Return the lots of an update's file; None if it wasn't compared with that of the manifest.

    Args:
        update: The update.
        key: The key of the file's fingerprints.
        known: The records that are known.
    """
    last = manifest.find(update.district_id, key)
    if not last or not known.students or update.detected_encoding != encodings.UTF_8:
        return None
    found = file_lots.of_update(update, last.update_id)
    if found is None or found.last_records + manifest.count_carried(last) != len(known.students):
        return None
    return found.lots
