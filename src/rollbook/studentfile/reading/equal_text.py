"""Compare the text of a file with that of the last one, to find the rows that are in both.

Nearly always, long stretches of both files are equal. Where they differ, usually one row was
changed, so the files are equal again on the next line. If they aren't, the next lines of the last
file are searched for the first one that the new file has, too: what is between was changed,
inserted or removed. A picture is in docs/decisions/0080-text-of-the-last-file.md.
"""

from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterator
from itertools import islice
from typing import NamedTuple

from rollbook.studentfile.limits import MAX_ROW_BYTES
from rollbook.studentfile.reading.lots import NOT_PLAIN, EqualText, LastText, Lots
from rollbook.studentfile.reading.record_splitter import split_records

WINDOWS = (16, 256, 4096)
"""Lines ahead that are searched after text that differs, as long as few don't show where it ends.

After the last window without one that is expected, the file has another order.
"""

_BLOCK_BYTES = 1 << 15  # compared at a time
_START_BYTES = 1 << 14  # by which the beginnings of two files may differ
_SLACK_BYTES = 1024  # beyond the size that rows have on the average


class EqualTextReader:
    """Reads a text, and finds what of it is equal to plain lots of the last file.

    Args:
        last: The text of the last file.
        chunks_from: Yields the text from a byte on, which is the beginning of a record.
        start: The byte at which to begin.
    """

    def __init__(
        self, last: LastText, chunks_from: Callable[[int], Iterator[bytes]], start: int
    ) -> None:
        self._lots, self._is_unchanged = last.lots, last.is_unchanged
        self._line_end = last.lots.line_end[-1:]
        self._row_bytes = last.lots.bytes_of(1)
        self._new = _Text(chunks_from, start)
        self._old = _PlainText(last, start - _START_BYTES)
        self._stop = start

    def pieces(self, stop: int) -> Iterator[EqualText | list[bytes]]:
        """Yield the text that is equal, and the records between.

        It ends near the end of the text, or if the file has another order than the last one.

        Args:
            stop: The byte beyond which nothing counts as equal.

        Raises:
            TextLost: The last file can't be read any longer.
        """
        self._stop = stop
        if self._is_unchanged:
            yield from self._pieces_unchanged()
            return
        while True:
            while equal := self._read_equal():
                yield equal
            records, is_found = self._read_changed(), True
            if not records:
                records, is_found = self._search()
            if records:
                yield records
            if not is_found:
                return

    def rest(self) -> Iterator[bytes]:
        """Yield the text after the last piece."""
        return self._new.rest()

    def _pieces_unchanged(self) -> Iterator[EqualText | list[bytes]]:
        """Yield the pieces of the same text: plain lots are equal without being read."""
        lots, new = self._lots, self._new
        each_lot = zip(lots.first_bytes(), lots.first_records(), lots.sizes, strict=False)
        for lot, (begin, source, size) in enumerate(each_lot):
            if begin < new.byte:
                continue
            if begin + size > self._stop:
                return
            if begin > new.byte:
                yield split_records(new.read(begin - new.byte), final=True)[0]
            if lots.sources[lot] == NOT_PLAIN:
                yield split_records(new.read(size), final=True)[0]
            else:
                new.skip(size)
                yield EqualText(source, size, lots.records[lot])

    def _read_equal(self) -> EqualText | None:
        """Pass the lines that are equal in both texts from here on, or a block of them."""
        new, old = self._new, self._old
        size = min(new.fill(_BLOCK_BYTES), old.fill(_BLOCK_BYTES), self._stop - new.byte)
        text, known = new.ahead(size), old.ahead(size)
        end = size if text == known else _common(text, known)
        end = text.rfind(self._line_end, 0, end) + 1
        if not end:
            return None
        records = text.count(self._line_end, 0, end)
        equal = EqualText(old.record, end, records)
        new.advance(end)
        old.advance(end, records)
        return equal

    def _read_changed(self) -> list[bytes]:
        """Pass a record and the old line in its place if the next lines are equal."""
        new, old, line_end = self._new, self._old, self._line_end
        size = self._row_bytes + _SLACK_BYTES
        text = new.ahead(min(new.fill(size), self._stop - new.byte))
        first = text.find(line_end) + 1
        second = text.find(line_end, first) + 1
        known = old.ahead(old.fill(size))
        old_first = known.find(line_end) + 1
        if not (0 < first < second and old_first):
            return []
        if not known.startswith(text[first:second], old_first):
            return []
        records, rest = split_records(text[:second], final=False)
        if len(records) != 2 or rest:
            return []
        new.advance(first)
        old.advance(old_first, 1)
        return records[:1]

    def _search(self) -> tuple[list[bytes], bool]:
        """Read the records up to one that the last file has ahead.

        Returns:
            The records, and whether there is one after them.
        """
        new, old = self._new, self._old
        read: list[bytes] = []
        for lines in WINDOWS:
            places = old.lines_ahead(len(read) + lines, self._row_bytes)
            records = self._next_records(lines)
            if not records:
                break
            for number, record in enumerate(records):
                place = places.get(record)
                if place is None:
                    continue
                before = records[:number]
                new.advance(sum(map(len, before)))
                old.move_to(place)
                return read + before, bool(read or number or place.is_ahead)
            read += records
            new.advance(sum(map(len, records)))
        return read, False

    def _next_records(self, count: int) -> list[bytes]:
        """Return complete records, about so many; none if they would be beyond the stop."""
        size = count * self._row_bytes + _SLACK_BYTES
        while True:
            text = self._new.ahead(min(self._new.fill(size), self._stop - self._new.byte))
            records = split_records(text, final=False)[0]
            if records or len(text) < size or size > MAX_ROW_BYTES:
                return records
            size *= 2


def _common(first: bytes, second: bytes) -> int:
    """Return how many bytes at the beginning of two different texts of one length are equal."""
    equal, differing = 0, len(first)
    while differing - equal > 1:
        middle = (equal + differing) // 2
        if first[equal:middle] == second[equal:middle]:
            equal = middle
        else:
            differing = middle
    return equal


class _Text:
    """A text that is read forward from a byte on.

    Attributes:
        byte: The next byte.
    """

    def __init__(self, chunks_from: Callable[[int], Iterator[bytes]], byte: int) -> None:
        self.byte = byte
        self._chunks_from, self._chunks = chunks_from, chunks_from(byte)
        self._buffer, self._at = b"", 0

    def fill(self, size: int) -> int:
        """Have so many bytes in memory; return their number, which is less at the text's end."""
        while len(self._buffer) - self._at < size:
            chunk = next(self._chunks, b"")
            if not chunk:
                break
            self._buffer, self._at = self._buffer[self._at :] + chunk, 0
        return min(size, len(self._buffer) - self._at)

    def ahead(self, size: int) -> bytes:
        """Return so many of the bytes in memory, without passing them."""
        return self._buffer[self._at : self._at + max(0, size)]

    def advance(self, size: int) -> None:
        """Pass bytes in memory."""
        self._at += size
        self.byte += size

    def read(self, size: int) -> bytes:
        """Pass bytes, and return them."""
        text = self.ahead(self.fill(size))
        self.advance(len(text))
        return text

    def skip(self, size: int) -> None:
        """Pass bytes without reading those that aren't in memory."""
        self.advance(size)
        if self._at > len(self._buffer):
            self._buffer, self._at, self._chunks = b"", 0, self._chunks_from(self.byte)

    def rest(self) -> Iterator[bytes]:
        """Yield all that follows."""
        yield self._buffer[self._at :]
        yield from self._chunks


class _Place(NamedTuple):
    """Where a plain line of the last file begins.

    Attributes:
        stretch: The number of its stretch.
        byte: Its first byte.
        record: The number of its record.
        is_ahead: Whether it isn't the next one.
    """

    stretch: int
    byte: int
    record: int
    is_ahead: bool


class _PlainText:
    """The plain lots of the last file, of which those that follow each other are a stretch.

    Attributes:
        record: The number of the next record.
    """

    def __init__(self, last: LastText, start: int) -> None:
        self._line_end = last.lots.line_end[-1:]
        self._begins, self._ends, self._records = _stretches(last.lots)
        begins = array("Q", last.lots.first_bytes())
        lot = max(0, bisect_right(begins, max(0, start)) - 1)
        self._stretch = max(0, bisect_right(self._begins, begins[lot]) - 1)
        self.record = next(islice(last.lots.first_records(), lot, None))
        self._text = _Text(last.chunks_from, begins[lot])

    def fill(self, size: int) -> int:
        """Have so many bytes of a stretch in memory; return their number, which may be less.

        At the end of a stretch, the next one follows.
        """
        while self._stretch < len(self._begins):
            begin, end = self._begins[self._stretch], self._ends[self._stretch]
            if self._text.byte < begin:
                self._pass(begin)
                self.record = self._records[self._stretch]
            if self._text.byte < end:
                return self._text.fill(min(size, end - self._text.byte))
            self._stretch += 1
        return 0

    def ahead(self, size: int) -> bytes:
        """Return so many of the bytes in memory, without passing them."""
        return self._text.ahead(size)

    def advance(self, size: int, records: int) -> None:
        """Pass lines."""
        self._text.advance(size)
        self.record += records

    def move_to(self, place: _Place) -> None:
        """Pass what is before a line."""
        self._stretch, self.record = place.stretch, place.record
        self._pass(place.byte)

    def _pass(self, byte: int) -> None:
        self._text.read(byte - self._text.byte)

    def lines_ahead(self, count: int, row_bytes: int) -> dict[bytes, _Place]:
        """Return where the next lines are, so many of them; the first place of equal ones.

        Args:
            count: The number of lines.
            row_bytes: The bytes that a line has on the average.
        """
        places: dict[bytes, _Place] = {}
        first, record, left = self._text.byte, self.record, count
        for stretch in range(self._stretch, len(self._begins)):
            if self._begins[stretch] > first:
                first, record = self._begins[stretch], self._records[stretch]
            offset = first - self._text.byte
            size = min(self._ends[stretch] - first, left * row_bytes + _SLACK_BYTES)
            text = self._text.ahead(self._text.fill(offset + size))[offset:]
            for line in text.splitlines(keepends=True)[:left]:
                if not line.endswith(self._line_end):
                    break
                place = _Place(stretch, first, record, is_ahead=record > self.record)
                places.setdefault(line, place)
                first, record, left = first + len(line), record + 1, left - 1
            if left <= 0 or first < self._ends[stretch]:
                break
        return places


def _stretches(lots: Lots) -> tuple[list[int], list[int], list[int]]:
    """Return where each stretch of plain lots begins and ends, and its first record."""
    begins: list[int] = []
    ends: list[int] = []
    records: list[int] = []
    each_lot = zip(lots.first_bytes(), lots.first_records(), lots.sizes, lots.sources, strict=False)
    for begin, record, size, source in each_lot:
        if source == NOT_PLAIN:
            continue
        if ends and ends[-1] == begin:
            ends[-1] += size
        else:
            begins.append(begin)
            ends.append(begin + size)
            records.append(record)
    return begins, ends, records
