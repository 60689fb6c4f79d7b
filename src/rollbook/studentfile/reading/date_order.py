"""Decide once for a whole file whether the month or the day comes first in its dates of birth."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from rollbook.studentfile.mapping.bound import Reading
from rollbook.studentfile.mapping.steps import ReadDate
from rollbook.studentfile.problems.problem import Problem, printable_excerpt
from rollbook.studentfile.reading.header import Header
from rollbook.studentfile.reading.quoted_lots import PlainLot, cells_of_column
from rollbook.studentfile.rules import DateOrder, FileRules
from rollbook.studentfile.values import birth_dates
from rollbook.studentfile.values.text_checks import trim

_MAX_CACHED = 20_000
_MAX_CACHED_BYTES = 40
_MIN_EPOCH_ROWS = 2
FIRST_ROWS = 640
"""So many rows are always examined; they show whether 1970-01-01 fills the column."""
_COLUMN = "DOB"


def _searches(before: bytes) -> tuple[re.Pattern[bytes], ...]:
    """Return patterns that find a separator after a number from 13 to 31.

    They begin with a literal, which makes the search fast.

    Args:
        before: A pattern of the character before the number; ``%s`` stands for the separator.
    """
    number = rb"(?:1[3-9]|2[0-9]|3[01])"
    separators = map(re.escape, (b"/", b"-", b"."))
    return tuple(
        re.compile(
            separator + rb"(?<=" + before.replace(b"%s", separator) + number + separator + rb")"
        )
        for separator in separators
    )


_ORDERS = (DateOrder.MONTH_FIRST, DateOrder.DAY_FIRST)
_CANDIDATES: Mapping[tuple[DateOrder, ...], tuple[re.Pattern[bytes], ...]] = {
    _ORDERS: _searches(rb"[^0-9]"),
    _ORDERS[:1]: _searches(rb"%s"),
    _ORDERS[1:]: _searches(rb"[^0-9/.-]"),
    (): (),
}
"""By orders to be proven: one of the patterns finds something in each text that proves one."""

_CODES = {DateOrder.DAY_FIRST: "day_first_dates", DateOrder.MONTH_FIRST: "month_first_dates"}
REFUSED_ORDERS = frozenset(_CODES.values())
"""The codes for which a file is refused if it proves another order than the expected one."""


class DateColumn:
    """Collects what the DOB column of a file says about the order of day and month.

    Args:
        index: The index of the column; None if the file has none.
    """

    def __init__(self, index: int | None) -> None:
        self._index = index
        self._first_rows = 0  # examined so far, at most a block more than FIRST_ROWS
        self._epoch_rows = 0  # among these, with a date of EPOCH_DATES
        self._evidence: dict[DateOrder, tuple[int, str]] = {}  # line and date, of each order
        self._open_orders: tuple[DateOrder, ...] = _ORDERS  # without evidence so far
        self._examined: set[bytes] = set()  # without those that must be counted

    @classmethod
    def of(cls, header: Header) -> "DateColumn":
        """Return the column of a file with this header."""
        if header.reading:
            return _mapped_column(header.reading)
        return cls(header.index_of(_COLUMN))

    def add_regular(self, records: Sequence[bytes], line: int) -> None:
        """Add records of one line each, without quotes and with all cells, that follow each other.

        Args:
            records: The records.
            line: The line of the first one.
        """
        if self._index is not None:
            self._add_values(cells_of_column(records, self._index), line)

    def add_plain_lot(self, lot: PlainLot, line: int) -> bool:
        """Add the records of a lot; return False if that requires the cells of each record.

        Args:
            lot: The records.
            line: The line of the first one.
        """
        if self._index is not None:
            self._add_values(lot.column(self._index), line)
        return True

    def add_rows(self, rows: Sequence[Sequence[str]], line: int) -> None:
        """Add the cells of records of one line each and with all cells, that follow each other.

        Args:
            rows: The cells.
            line: The line of the first record.
        """
        if self._index is not None:
            self._add_values([row[self._index].encode("utf-8", "replace") for row in rows], line)

    def decide(self, rules: FileRules) -> tuple[FileRules, list[Problem]]:
        """Return the rules of the file, and the problems of its dates.

        Args:
            rules: The rules that the district has set.
        """
        is_filled = self._epoch_rows >= _MIN_EPOCH_ROWS and 2 * self._epoch_rows > self._first_rows
        rules = replace(rules, epoch_is_null=is_filled)
        if not self._open_orders:
            return replace(rules, date_order=DateOrder.MIXED), [self._mixed_orders()]
        return rules, list(self._contradictions(rules.date_order))

    @property
    def has_first_rows(self) -> bool:
        """Whether the rows that are always examined have been, or the file has no such column."""
        return self._index is None or self._first_rows >= FIRST_ROWS

    @property
    def open_orders(self) -> frozenset[str]:
        """The orders that no date has proved so far."""
        return frozenset(order.value for order in self._open_orders)

    def _add_values(self, values: Sequence[bytes], line: int) -> None:
        """Examine each value of the column that was not examined before."""
        is_first = not self.has_first_rows
        if not is_first and (self._examined.issuperset(values) or self._prove_nothing(values)):
            return
        self._first_rows += len(values) if is_first else 0
        for value in dict.fromkeys(values):
            if value not in self._examined:
                rows = values.count(value) if is_first else 0
                self._examine(value, rows, line + values.index(value))

    def _prove_nothing(self, values: Sequence[bytes]) -> bool:
        """Return whether a fast search finds that no value can prove an order; remember them."""
        new = set(values) - self._examined
        text = b"\n".join([b"", *new])
        if any(pattern.search(text) for pattern in _CANDIDATES[self._open_orders]):
            return False
        if len(self._examined) < _MAX_CACHED and max(map(len, new)) <= _MAX_CACHED_BYTES:
            self._examined |= new
        return True

    def _examine(self, value: bytes, rows: int, line: int) -> None:
        """Examine a value that first appears in this line, in so many of the first rows."""
        text = trim(value.decode("utf-8", "replace").rstrip("\r\n"))
        order = birth_dates.proven_order(text)
        if order and order not in self._evidence:
            self._evidence[order] = (line, text)
            self._open_orders = tuple(each for each in _ORDERS if each not in self._evidence)
        if birth_dates.is_epoch(text):
            self._epoch_rows += rows
        elif len(self._examined) < _MAX_CACHED and len(value) <= _MAX_CACHED_BYTES:
            self._examined.add(value)

    def _contradictions(self, expected: DateOrder) -> Iterator[Problem]:
        """Yield a problem if all evidence is for the other order than the expected one."""
        for order, (line, text) in self._evidence.items():
            if order is not expected:
                yield Problem(_CODES[order], line, _COLUMN, printable_excerpt(text))

    def _mixed_orders(self) -> Problem:
        (month_line, _), (day_line, _) = (self._evidence[order] for order in _ORDERS)
        hint = (
            f"line {month_line:,} has the month first and line {day_line:,} the day first: write "
            "all dates the same way, or as yyyy-mm-dd"
        )
        return Problem("mixed_date_orders", min(month_line, day_line), _COLUMN, hint=hint)


class _ChangedDates(DateColumn):
    """Collects what the dates say that the steps of a mapping make of cells."""

    def __init__(self, at: int, reading: Reading) -> None:
        super().__init__(0)
        self._at, self._reading = at, reading

    def add_regular(self, records: Sequence[bytes], line: int) -> None:
        """Add records of one line each, without quotes and with all cells."""
        texts = (record.decode("utf-8", "replace").rstrip("\r\n") for record in records)
        self.add_rows([text.split(",") for text in texts], line)

    def add_plain_lot(self, lot: PlainLot, line: int) -> bool:
        """Return that the cells of each record are required."""
        return False

    def add_rows(self, rows: Sequence[Sequence[str]], line: int) -> None:
        """Add the cells of records of one line each and with all cells."""
        texts = (self._reading.text(self._at, row) for row in rows)
        self._add_values([text.encode("utf-8", "replace") for text in texts], line)


def _mapped_column(reading: Reading) -> DateColumn:
    at = reading.position(_COLUMN)
    if at is None or any(isinstance(step, ReadDate) for step in reading.steps(at)):
        return DateColumn(None)  # no date, or the mapping says what it means
    if reading.steps(at):
        return _ChangedDates(at, reading)
    return DateColumn(reading.indexes[at][0])
