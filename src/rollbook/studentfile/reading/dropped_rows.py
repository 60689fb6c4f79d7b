"""Count the rows that the conditions of a column mapping skip."""

from collections.abc import Iterator, Sequence

from rollbook.studentfile.problems.problem import Problem
from rollbook.studentfile.reading.header import Header
from rollbook.studentfile.reading.row_parser import keep_rows, parse_every_row


class DroppedRows:
    """The rows of one file that are skipped.

    Attributes:
        count: How many there are so far.
    """

    def __init__(self, header: Header) -> None:
        self._header = header
        self.count = 0

    def add(self, records: Sequence[bytes]) -> None:
        """Count those among records, exactly as they are left out when the file is read."""
        reading = self._header.reading
        if reading and reading.has_conditions:
            rows = parse_every_row(records, [0] * len(records), self._header)
            self.count += len(rows) - len(keep_rows(rows, self._header))

    def problems(self, rows: int, header_line: int) -> Iterator[Problem]:
        """Yield what is to be said of them.

        Args:
            rows: The number of rows, with them.
            header_line: The line of the header.
        """
        if not self.count or not self._header.reading:
            return
        conditions = " and ".join(map(str, self._header.reading.mapping.keep))
        hint = (
            f"{self.count:,} of {rows:,} rows were skipped: the column mapping only keeps rows in "
            f"which {conditions}"
        )
        code = "no_rows" if self.count == rows else "rows_not_kept"
        yield Problem(code, header_line, hint=hint)
