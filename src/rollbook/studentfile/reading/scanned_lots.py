"""The lots of a file that is being scanned, and those of the earlier file that is remembered."""

from collections.abc import Sequence

from rollbook.studentfile.reading.header import Header
from rollbook.studentfile.reading.lots import LotHash, Lots, TextMemory
from rollbook.studentfile.reading.record_splitter import FilePosition


class NotExact(Exception):
    """So many rows were skipped that footers couldn't be searched for among the last ones."""


class ScannedLots:
    """Collects the lots of one file, if there is a memory."""

    def __init__(self, memory: TextMemory | None) -> None:
        self._memory = memory
        self._lots: Lots | None = None
        self._known: Lots | None = None
        self.hash_of = LotHash(b"")
        self.is_unchanged = False  # the earlier file is this one

    def begin(self, header: Header, start: FilePosition) -> None:
        """Begin with the rows below a header.

        Rows that must be looked at one by one, for columns without a name or for the conditions of
        a mapping, can't be skipped.
        """
        is_conditional = header.reading is not None and header.reading.has_conditions
        if self._memory is None or header.unnamed_columns or is_conditional:
            return
        text = self._memory.of_header(header)
        self._lots, self._known = Lots(start), text.lots
        self.hash_of, self.is_unchanged = text.hash_of, text.is_unchanged

    def usable(self, open_orders: frozenset[str]) -> Lots | None:
        """Return the lots of the earlier file, if plain ones need not be scanned.

        Args:
            open_orders: The orders of day and month that no date has proved so far: the earlier
                file must not prove one of them.
        """
        known = self._known
        return known if known and open_orders <= known.open_orders else None

    def add(self, records: Sequence[bytes], block: bytes, lines: int, *, is_plain: bool) -> None:
        """Add records that were scanned.

        Args:
            records: The records.
            block: Their bytes.
            lines: Their physical lines.
            is_plain: Whether the scan only counted them.
        """
        if self._lots is None:
            return
        if is_plain:
            self._lots.add_plain(records, block, self.hash_of)
        else:
            self._lots.add_odd(records, block, lines, self.hash_of)

    def add_known(self, lots: slice) -> None:
        """Add lots of the earlier file, which were recognized."""
        if self._lots is not None and self._known is not None:
            self._lots.add_known(self._known, lots)

    def finish(self, line_end: bytes, open_orders: frozenset[str]) -> Lots | None:
        """Return all lots.

        Args:
            line_end: The line end of all records.
            open_orders: The orders of day and month that no date has proved.
        """
        if self._lots is not None:
            self._lots.line_end, self._lots.open_orders = line_end, open_orders
        return self._lots
