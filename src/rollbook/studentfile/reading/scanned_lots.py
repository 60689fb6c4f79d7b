"""The lots of a file that is being scanned, and the text of the last one that is remembered."""

from rollbook.studentfile.reading.header import Header
from rollbook.studentfile.reading.lots import EqualText, LastText, Lots, TextMemory
from rollbook.studentfile.reading.record_splitter import FilePosition


class NotExact(Exception):
    """So many rows were skipped that footers couldn't be searched for among the last ones."""


class ScannedLots:
    """Collects the lots of one file, if there is a memory."""

    def __init__(self, memory: TextMemory | None) -> None:
        self._memory = memory
        self._lots: Lots | None = None
        self._last: LastText | None = None

    def begin(self, header: Header, start: FilePosition) -> None:
        """Begin with the rows below a header.

        Rows that must be looked at one by one, for columns without a name or for the conditions of
        a mapping, can't be skipped.
        """
        is_conditional = header.reading is not None and header.reading.has_conditions
        if self._memory is None or header.unnamed_columns or is_conditional:
            return
        self._lots, self._last = Lots(start), self._memory.of_header(header)

    def usable(self, open_orders: frozenset[str]) -> LastText | None:
        """Return the text of the last file, if what is equal need not be scanned.

        Args:
            open_orders: The orders of day and month that no date has proved so far: the last file
                must not prove one of them.
        """
        last = self._last
        return last if last and open_orders <= last.lots.open_orders else None

    def add(self, size: int, records: int, lines: int, *, is_plain: bool) -> None:
        """Add rows that were scanned; the arguments are those of ``Lots.add``."""
        if self._lots is not None:
            self._lots.add(size, records, lines, is_plain=is_plain)

    def add_equal(self, text: EqualText) -> None:
        """Add rows that the last file has, too."""
        if self._lots is not None:
            self._lots.add_equal(text)

    def end_lot(self) -> None:
        """Let a new lot begin with the next rows."""
        if self._lots is not None:
            self._lots.end_lot()

    def finish(self, line_end: bytes, open_orders: frozenset[str]) -> Lots | None:
        """Return all lots.

        Args:
            line_end: The line end of all records.
            open_orders: The orders of day and month that no date has proved.
        """
        if self._lots is not None:
            self._lots.line_end, self._lots.open_orders = line_end, open_orders
        return self._lots
