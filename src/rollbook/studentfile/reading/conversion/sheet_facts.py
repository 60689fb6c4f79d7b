"""What the XML of a sheet contains besides the values that the workbook reader returns.

The reader (calamine) returns a blank for an error and for a formula without a result, and a number
without its format. It also allocates memory for all cells up to the last one before anything can be
checked. So each sheet is parsed before it is read: its size is limited, and for cells whose text
would be wrong the right one is recorded.
"""

from array import array
from collections.abc import Callable, Iterator
from typing import IO
from xml.parsers import expat

from rollbook.studentfile.limits import Limits
from rollbook.studentfile.problems.problem import Problem
from rollbook.studentfile.reading.conversion.number_formats import NumberFormat

MAX_CELLS = 4_000_000
"""Rows times columns of a sheet; for about 100 bytes each there must be memory."""
NOT_CALCULATED = "#CALC!"
"""The text of a formula without a result: an error that the rules of all columns reject."""
UNKNOWN_ERROR = "#VALUE!"
"""The text of an error that the rules of the columns don't know."""
MAX_COLUMNS = 1 << 15
_COLUMN_BITS = 20
_TITLE_ROWS = 20  # a row with merged cells and nothing else is a title if it is among these
_CHUNK_BYTES = 1 << 16

StartHandler = Callable[[str, dict[str, str]], None]
EndHandler = Callable[[str], None]


class WorkbookRefused(Exception):
    """The workbook can't be converted; ``problem`` says why."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.code)
        self.problem = problem


class Overrides:
    """Texts and number formats of single cells."""

    def __init__(self) -> None:
        self._positions = array("Q")  # row and column, both counted from 0
        self._indexes = array("L")
        self._values: list[str | NumberFormat] = []
        self._index_of: dict[str | NumberFormat, int] = {}
        self._is_sorted = True
        self._next = 0

    def add(self, row: int, column: int, value: str | NumberFormat) -> None:
        """Record the text of a cell, or the format of its number."""
        index = self._index_of.setdefault(value, len(self._values))
        if index == len(self._values):
            self._values.append(value)
        position = row << _COLUMN_BITS | column
        if self._positions and position < self._positions[-1]:
            self._is_sorted = False
        self._positions.append(position)
        self._indexes.append(index)

    def sort(self) -> None:
        """Sort the cells by rows; two entries of a cell keep their order."""
        if not self._is_sorted:
            order = sorted(range(len(self._positions)), key=self._positions.__getitem__)
            self._positions = array("Q", map(self._positions.__getitem__, order))
            self._indexes = array("L", map(self._indexes.__getitem__, order))

    def take_row(self, row: int) -> Iterator[tuple[int, str | NumberFormat]]:
        """Yield column and value of the cells in a row; rows must be taken in their order."""
        while self._next < len(self._positions):
            position = self._positions[self._next]
            if position >> _COLUMN_BITS > row:
                return
            value = self._values[self._indexes[self._next]]
            self._next += 1
            yield position & ((1 << _COLUMN_BITS) - 1), value


class SheetFacts:
    """The size of a sheet and what is special in it.

    Attributes:
        index: Its position among all sheets, counted from 0.
        name: Its name.
        is_visible: Whether it is not hidden.
        has_values: Whether there are values; the other attributes may then still be unknown.
        rows: The number of rows up to the last value.
        columns: The number of columns up to the last value.
        first_column: The first column with a value, counted from 0.
        overrides: Cells whose text differs from what the workbook reader returns.
        not_calculated: The line of the first formula without a result; None if there is none.
        has_hidden_cells: Whether rows or columns with values are hidden.
        merged_line: The line of the first merged cells beside which there are others.
    """

    def __init__(
        self, index: int, name: str, *, is_visible: bool, max_cells: int = MAX_CELLS
    ) -> None:
        self.index = index
        self.name = name
        self.is_visible = is_visible
        self.has_values = False
        self.rows = self.columns = 0
        self.first_column = 1 << _COLUMN_BITS
        self.overrides = Overrides()
        self.not_calculated: int | None = None
        self.has_hidden_cells = False
        self.merged_line: int | None = None
        self._max_cells = max_cells
        self._hidden_columns: list[range] = []
        self._values_of_title_rows: dict[int, int] = {}

    def add_value(self, row: int, column: int, repeated: tuple[int, int] = (1, 1)) -> None:
        """Record that a cell has a value.

        Args:
            row: Its row, counted from 0.
            column: Its column, counted from 0.
            repeated: In how many rows and columns the value is, from this one on.

        Raises:
            WorkbookRefused: The sheet would need too much memory.
        """
        self.has_values = True
        last_row, last_column = row + repeated[0] - 1, column + repeated[1] - 1
        if row < _TITLE_ROWS:
            self._values_of_title_rows[row] = self._values_of_title_rows.get(row, 0) + 1
        self.first_column = min(self.first_column, column)
        if last_row >= self.rows or last_column >= self.columns:
            self.rows = max(self.rows, last_row + 1)
            self.columns = max(self.columns, last_column + 1)
            self._check_memory()

    def _check_memory(self) -> None:
        if self.rows * self.columns > self._max_cells:
            hint = f"a sheet may have at most {MAX_CELLS:,} cells: save it as CSV UTF-8"
            raise WorkbookRefused(Problem("workbook_too_large", hint=hint))

    def check_limits(self, limits: Limits) -> None:
        """Check that the sheet isn't larger than a student file may be.

        Raises:
            WorkbookRefused: It is.
        """
        if self.rows - 1 > limits.rows:
            hint = f"split the file by school into files of at most {limits.rows:,} rows"
            raise WorkbookRefused(Problem("too_many_rows", hint=hint))
        columns = self.columns - self.first_column
        if columns > limits.columns:
            hint = (
                f"the sheet has values in {columns:,} columns and at most {limits.columns:,} are "
                "allowed: remove those that you don't need"
            )
            raise WorkbookRefused(Problem("too_many_columns", hint=hint))

    def add_not_calculated(self, row: int, column: int) -> None:
        """Record a formula without a result."""
        self.not_calculated = self.not_calculated or row + 1
        self.overrides.add(row, column, NOT_CALCULATED)

    def add_merged(self, row: int, last_row: int) -> None:
        """Record merged cells, unless they are all that is in their row, as in a title."""
        values_in_row = self._values_of_title_rows.get(row, 0)
        if row == last_row < _TITLE_ROWS and values_in_row <= 1:
            return
        self.merged_line = min(self.merged_line or row + 1, row + 1)

    def hide_columns(self, columns: range) -> None:
        """Record hidden columns."""
        self._hidden_columns.append(columns)

    def finish(self) -> None:
        """Compute what depends on the whole sheet."""
        self.overrides.sort()
        used = range(self.first_column, self.columns)
        for hidden in self._hidden_columns:
            if hidden.start < used.stop and used.start < hidden.stop:
                self.has_hidden_cells = True


class Names(dict[str, str]):
    """Element and attribute names without their prefixes, by the names in the file."""

    def __missing__(self, name: str) -> str:
        local = self[name] = name.rpartition(":")[2]
        return local


def parse_xml(
    file: IO[bytes], start: StartHandler, end: EndHandler | None = None
) -> Iterator[expat.XMLParserType]:
    """Parse a part of a workbook in constant memory; yield the parser before each chunk.

    Args:
        file: The part.
        start: Called with the name and the attributes of each element, as written.
        end: Called with the name of each element that ends.

    Raises:
        WorkbookRefused: It has a document type, which no spreadsheet program writes.
        expat.ExpatError: It is not XML.
    """
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = start
    if end:
        parser.EndElementHandler = end
    parser.StartDoctypeDeclHandler = _refuse_document_type
    while chunk := file.read(_CHUNK_BYTES):
        yield parser
        parser.Parse(chunk, False)  # noqa: FBT003 - takes no keyword
    parser.Parse(b"", True)  # noqa: FBT003


def _refuse_document_type(*_: object) -> None:
    raise WorkbookRefused(Problem("workbook_damaged"))
