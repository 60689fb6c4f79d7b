"""Recognize text of an earlier file: lots of some sixteen rows, each with a keyed hash.

A lot is *plain* if a scan only counts its rows: each is one line with the right number of cells,
and nothing about it is worth a problem. So a plain lot of an earlier file need not be scanned
again, if its text, the header and the rules are the same. A picture is in
docs/decisions/0057-lots.md.
"""

import hashlib
from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Protocol

from rollbook.studentfile.limits import MAX_ROW_BYTES
from rollbook.studentfile.reading.header import Header
from rollbook.studentfile.reading.record_splitter import FilePosition, split_records

LOT_ROWS = 16
"""Rows of a lot. If one row out of a hundred has changed, five lots out of six are equal."""

WINDOW = 64
"""Lots ahead, one of which is expected after text that was changed, inserted or removed."""

MAX_UNKNOWN_ROWS = 4096
"""After so many rows without a lot that is expected, the file has another order."""

_MAX_RUN = 1000  # lots that are read at a time

NOT_PLAIN = 0
"""The hash of a lot that is always scanned."""

_START_BYTES = 1 << 14  # by which the beginnings of two files may differ
_SLACK_BYTES = 1024  # beyond the expected lot, to see how the next one begins


class LotHash:
    """A keyed 64-bit BLAKE2b hash: without the key, nobody can find a row by trying."""

    def __init__(self, key: bytes) -> None:
        self._copy: Callable[[], hashlib.blake2b] = hashlib.blake2b(key=key, digest_size=8).copy

    def __call__(self, text: bytes | memoryview) -> int:
        """Return the hash of a text."""
        keyed = self._copy()
        keyed.update(text)
        return int.from_bytes(keyed.digest(), "little", signed=True)


@dataclass(slots=True)
class Lots:
    """All rows of a file below its header, without footers, as lots that follow each other.

    Attributes:
        start: Where the first one begins.
        hashes: The hash of the text of each lot, or ``NOT_PLAIN``.
        firsts: The hash of its first record.
        sizes: Its bytes.
        records: Its records; blank lines are records, too.
        lines: Its physical lines.
        line_end: The line end of all records.
        open_orders: The orders of day and month that no date of the file proves.
    """

    start: FilePosition = field(default_factory=FilePosition)
    hashes: "array[int]" = field(default_factory=lambda: array("q"))
    firsts: "array[int]" = field(default_factory=lambda: array("q"))
    sizes: "array[int]" = field(default_factory=lambda: array("I"))
    records: "array[int]" = field(default_factory=lambda: array("I"))
    lines: "array[int]" = field(default_factory=lambda: array("I"))
    line_end: bytes = b""
    open_orders: frozenset[str] = frozenset()

    def __len__(self) -> int:
        return len(self.hashes)

    def add_plain(self, records: Sequence[bytes], block: bytes, hash_of: LotHash) -> None:
        """Add records that a scan only counts, and that follow those of the last lot.

        Args:
            records: The records, with line ends; they become one or several lots.
            block: Their bytes.
            hash_of: Computes the hashes.
        """
        number = round(len(records) / LOT_ROWS) or 1
        text, begin = memoryview(block), 0
        for at in range(number):
            first, last = len(records) * at // number, len(records) * (at + 1) // number
            end = begin + sum(map(len, records[first:last]))
            self.hashes.append(hash_of(text[begin:end]))
            self._add(records[first], end - begin, last - first, last - first, hash_of)
            begin = end

    def add_odd(self, records: Sequence[bytes], block: bytes, lines: int, hash_of: LotHash) -> None:
        """Add records that are always scanned, as one lot of so many physical lines."""
        self.hashes.append(NOT_PLAIN)
        self._add(records[0], len(block), len(records), lines, hash_of)

    def _add(self, first: bytes, size: int, records: int, lines: int, hash_of: LotHash) -> None:
        self.firsts.append(hash_of(first))
        self.sizes.append(size)
        self.records.append(records)
        self.lines.append(lines)

    def add_known(self, other: "Lots", lots: slice) -> None:
        """Add lots of another file."""
        self.hashes += other.hashes[lots]
        self.firsts += other.firsts[lots]
        self.sizes += other.sizes[lots]
        self.records += other.records[lots]
        self.lines += other.lines[lots]

    def bytes_of(self, rows: int) -> int:
        """Return how many bytes so many rows have on the average, at least."""
        return rows * sum(self.sizes) // max(1, sum(self.records))

    def first_bytes(self) -> Iterator[int]:
        """Return the byte at which each lot begins, and the one after the last lot."""
        return accumulate(self.sizes, initial=self.start.byte)

    def first_lines(self) -> Iterator[int]:
        """Return the line on which each lot begins, and the one after the last lot."""
        return accumulate(self.lines, initial=self.start.line)

    def first_after(self, byte: int) -> int:
        """Return the index of the first lot that begins at a byte or after it."""
        begins = enumerate(self.first_bytes())
        return next((at for at, begin in begins if begin >= byte), len(self))


@dataclass(frozen=True, slots=True)
class KnownText:
    """What is known of an earlier file with the same header.

    Attributes:
        hash_of: Computes the hashes of both files.
        lots: The lots of the earlier file; None: there is none.
        is_unchanged: Whether both files have the same bytes; the earlier one was accepted as UTF-8.
    """

    hash_of: LotHash
    lots: Lots | None = None
    is_unchanged: bool = False


class TextMemory(Protocol):
    """Knows the text of earlier files."""

    def of_header(self, header: Header) -> KnownText:
        """Return what is known of a file with this header."""


class LotReader:
    """Reads a text by the lots of an earlier file.

    Args:
        known: The lots of the earlier file.
        hash_of: Computes their hashes.
        chunks_from: Yields the text from a byte on, which is the beginning of a record.
        start: The byte at which to begin.
        is_unchanged: Whether it is the text of the earlier file: then lots needn't be read.
    """

    def __init__(
        self,
        known: Lots,
        hash_of: LotHash,
        chunks_from: Callable[[int], Iterator[bytes]],
        start: int,
        *,
        is_unchanged: bool,
    ) -> None:
        self._known, self._hash = known, hash_of
        self._chunks_from, self._chunks = chunks_from, chunks_from(start)
        self._buffer, self._at = b"", 0
        self._byte, self._stop = start, start
        self._unchanged_begins = array("Q", known.first_bytes() if is_unchanged else ())

    def pieces(self, stop: int) -> Iterator[slice | list[bytes]]:
        """Yield the known lots, as slices of the earlier file's, and the records between them.

        It ends near the end of the text, or if the file has another order than the earlier one.

        Args:
            stop: The byte beyond which nothing is known.
        """
        self._stop = stop
        lot = self._known.first_after(self._byte - _START_BYTES)
        unknown_rows = 0
        while lot < len(self._known) and unknown_rows < MAX_UNKNOWN_ROWS:
            equal = self._same_run(lot) or self._equal_run(lot)
            if equal:
                yield slice(lot, lot + equal)
                lot, unknown_rows = lot + equal, 0
                continue
            records, following = self._read_unknown(lot)
            if records:
                yield records
            elif following == lot:
                return
            lot, unknown_rows = following, unknown_rows + len(records)

    def _same_run(self, first: int) -> int:
        """Pass the lots that are at their place in the same file, without reading them."""
        begins = self._unchanged_begins
        if not begins or begins[first] != self._byte:
            return 0
        run = self._known.hashes[
            first : min(first + _MAX_RUN, bisect_right(begins, self._stop) - 1)
        ]
        equal = run.index(NOT_PLAIN) if NOT_PLAIN in run else len(run)
        self._advance(begins[first + equal] - self._byte)
        if self._at > len(self._buffer):
            self._buffer, self._at, self._chunks = b"", 0, self._chunks_from(self._byte)
        return equal

    def _equal_run(self, first: int) -> int:
        """Pass the lots that are equal in both texts; return how many there are, from one on."""
        hashes, sizes, hash_of = self._known.hashes, self._known.sizes, self._hash
        last = min(first + _MAX_RUN, len(hashes))
        for lot in range(first, last):
            size = sizes[lot]
            if hashes[lot] == NOT_PLAIN or not self._fill(size):
                return lot - first
            if hash_of(self._buffer[self._at : self._at + size]) != hashes[lot]:
                return lot - first
            self._advance(size)
        return last - first

    def rest(self) -> Iterator[bytes]:
        """Yield the text after the last piece."""
        yield self._buffer[self._at :]
        yield from self._chunks

    def _fill(self, size: int) -> bool:
        """Return whether so many bytes are in the buffer, all of them before the stop."""
        if self._byte + size > self._stop:
            return False
        while len(self._buffer) - self._at < size:
            chunk = next(self._chunks, b"")
            if not chunk:
                return False
            self._buffer, self._at = self._buffer[self._at :] + chunk, 0
        return True

    def _advance(self, size: int) -> None:
        self._at += size
        self._byte += size

    def _read_unknown(self, lot: int) -> tuple[list[bytes], int]:
        """Read the records up to the beginning of a lot that is expected.

        Args:
            lot: The first one that is expected.

        Returns:
            The records, and the lot that begins after them, or the first one that is expected.
        """
        if lot + 1 < len(self._known) and (changed := self._read_changed(lot)):
            return changed, lot + 1
        ahead = range(min(lot + WINDOW, len(self._known)) - 1, lot - 1, -1)
        expected = {self._known.firsts[each]: each for each in ahead}
        read: list[bytes] = []
        size = self._known.sizes[lot] + _SLACK_BYTES
        while len(read) < MAX_UNKNOWN_ROWS and self._fill(size):
            records = self._split(size)
            for number, record in enumerate(records):
                following = expected.get(self._hash(record))
                if following is not None and (read or number or following != lot):
                    self._advance(sum(map(len, records[:number])))
                    return read + records[:number], following
            if records:
                read += records
                self._advance(sum(map(len, records)))
            elif size > MAX_ROW_BYTES:
                break
            else:
                size *= 2
        return read, lot

    def _read_changed(self, lot: int) -> list[bytes]:
        """Read the records of a lot if only its cells have changed, which is the usual case."""
        count, size = self._known.records[lot], self._known.sizes[lot] + _SLACK_BYTES
        if not self._fill(size):
            return []
        records = self._split(size)
        if len(records) <= count or self._hash(records[count]) != self._known.firsts[lot + 1]:
            return []
        self._advance(sum(map(len, records[:count])))
        return records[:count]

    def _split(self, size: int) -> list[bytes]:
        """Return the complete records among so many bytes."""
        return split_records(self._buffer[self._at : self._at + size], final=False)[0]
