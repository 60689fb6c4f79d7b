"""Scan the rows of a file: count those that are regular, and inspect all others."""

from codecs import BOM_UTF8
from collections.abc import Iterator, Sequence
from itertools import repeat

from rollbook.studentfile.columns import fold_header
from rollbook.studentfile.limits import Limits
from rollbook.studentfile.problems.problem import Problem, most_severe
from rollbook.studentfile.reading import (
    quoted_lots,
    quotes,
    record_splitter,
    skipped_lines,
)
from rollbook.studentfile.reading.date_order import DateColumn
from rollbook.studentfile.reading.header import Header, looks_like_header, named_columns
from rollbook.studentfile.reading.record_splitter import parse_record
from rollbook.studentfile.reading.row_parser import keep_rows, parse_every_row
from rollbook.studentfile.reading.scanned_lots import ScannedLots
from rollbook.text import count_of

MAX_RAGGED_SHARE = 0.2
"""If more of the rows have too few or too many cells, the whole file is refused."""
MAX_LINES_PER_ROW = 8
"""A file with more lines than this for each allowed row is mostly blank, and not read further."""

_RECORDS_PER_LOT = 64
"""Records inspected together: so few that most lots have no quote if some records have one."""


class FirstProblems:
    """The first problem of each code in the rows of a file.

    Attributes:
        reports: How many were reported, with those that weren't the first ones.
    """

    def __init__(self) -> None:
        self.reports = 0
        self._by_code: dict[str, Problem] = {}

    def report(self, code: str, line: int, hint: str = "", found: str = "") -> None:
        """Report a problem in a line; only the first one of its code is kept."""
        self.reports += 1
        if code not in self._by_code:
            self._by_code[code] = Problem(code, line, found=found, hint=hint)

    def withdraw(self, code: str) -> None:
        """Forget a problem, because another one says more."""
        self._by_code.pop(code, None)

    def all(self) -> tuple[Problem, ...]:
        """Return the problems in the order in which they were found."""
        return tuple(self._by_code.values())


def is_too_long(rows: int, line: int, limits: Limits) -> bool:
    """Return whether a file with so many rows up to a line is longer than allowed."""
    return rows > limits.rows or line > MAX_LINES_PER_ROW * (limits.rows + 1)


class RowScanner:
    """Scans the rows below a header, and records where each problem first appears.

    Args:
        header: The header.
        record: Its bytes.
        line: The line on which it begins.
        limits: The limits of the file.
        problems: Where problems are reported.

    Attributes:
        header: The header.
        rows: The number of rows so far.
        line: The line on which the next record begins.
        dates: What the dates of birth show.
        record_ends: The last bytes of records.
    """

    def __init__(
        self, header: Header, record: bytes, line: int, limits: Limits, problems: FirstProblems
    ) -> None:
        self.header, self._header_line = header, line
        quoted = record.rstrip(b"\r\n")
        self._header_records = {quoted, quoted.replace(b'"', b"")}
        self._folded = [fold_header(name) for name in header.names]
        self._named = named_columns(header.names)
        self._limits, self._problems = limits, problems
        self.rows = 0
        self.line = line + record_splitter.line_breaks(record)
        self.dates = DateColumn.of(header)
        self.record_ends: set[bytes] = set()
        self._dropped = 0  # rows that a mapping skips
        self._inspected = 0  # rows that may have a problem
        self._rows_with_wrong_cell_count = 0
        self._first_wrong_count = (0, 0)  # its line and the number of its cells
        self._line_over_limit: int | None = None
        # Among the records that are inspected: one in another spelling can be regular. Each one is
        # rejected when all rows are checked; the warning only adds to these errors.
        self._repeated_headers = 0
        self._unnamed_columns = header.unnamed_columns
        if self._unnamed_columns:
            problems.report("nameless_ignored", line)
        # With -1 no record is regular: each one is inspected for values in unnamed columns.
        self._commas = -1 if self._unnamed_columns else len(header.names) - 1

    @property
    def rows_kept(self) -> int:
        """The number of rows without those that a mapping skips."""
        return self.rows - self._dropped

    @property
    def is_too_long(self) -> bool:
        """Whether the file is longer than allowed."""
        return is_too_long(self.rows, self.line, self._limits)

    def problems(self) -> Iterator[Problem]:
        """Yield the problems of the rows as a whole."""
        if self.is_too_long:
            yield Problem(
                "too_many_rows",
                self._line_over_limit or self.line,
                hint=f"split the file by school into files of at most {self._limits.rows:,} rows",
            )
        elif not self.rows and most_severe(self._problems.all()) is None:
            yield Problem("no_rows", self._header_line)
        if self._dropped and self.header.reading:
            conditions = " and ".join(map(str, self.header.reading.mapping.keep))
            hint = (
                f"{self._dropped:,} of {self.rows:,} rows were skipped: the column mapping only "
                f"keeps rows in which {conditions}"
            )
            code = "rows_not_kept" if self.rows_kept else "no_rows"
            yield Problem(code, self._header_line, hint=hint)
        if self._rows_with_wrong_cell_count > self.rows * MAX_RAGGED_SHARE:
            yield Problem("structure", self._first_wrong_count[0], hint=self._structure_hint())
        if self._repeated_headers > 1:
            yield Problem("joined_files")

    def find_failure(self, records: Sequence[bytes]) -> None:
        """Report the message of a failed export that ends the file.

        Args:
            records: The last records, which were read as rows.
        """
        line, found = self.line, None
        for record in reversed(records):
            line -= record_splitter.line_breaks(record)
            if record.count(b",") == len(self._folded) - 1 and record.strip():
                break
            if skipped_lines.is_failure(record):
                found = line, skipped_lines.printable_line(record)
        if found:
            hint = "find out why the export failed, export it again and send the whole file"
            self._problems.report("cut_off", found[0], hint, found[1])

    def _structure_hint(self) -> str:
        (line, count), width = self._first_wrong_count, len(self._folded)
        fix = "put values that contain a comma in quotation marks"
        if count < width:
            fix = "separate the cells of all rows by commas, like those of the header"
        return (
            f"{self._rows_with_wrong_cell_count:,} of {self.rows:,} rows don't match the header, "
            f"the first one in line {line:,} with {count_of(count, 'cell')} instead of {width}: "
            f"{fix}"
        )

    def read(self, batch: list[bytes], lots: ScannedLots) -> None:
        """Count lots of regular records without parsing them; read all others.

        Args:
            batch: The next records.
            lots: Where they are added.
        """
        self._count_dropped(batch)
        for first in range(0, len(batch), _RECORDS_PER_LOT):
            records = batch[first : first + _RECORDS_PER_LOT]
            block = b"".join(records)
            rows, line, odd = self.rows, self.line, self._odd_rows()
            self._read_lot(records, block)
            is_plain = (
                self.rows - rows == self.line - line == len(records) and self._odd_rows() == odd
            )
            lots.add(len(block), len(records), self.line - line, is_plain=is_plain)

    def _count_dropped(self, records: Sequence[bytes]) -> None:
        """Count rows that a mapping skips, exactly as they are left out when the file is read."""
        reading = self.header.reading
        if reading and reading.has_conditions:
            rows = parse_every_row(records, [0] * len(records), self.header)
            self._dropped += len(rows) - len(keep_rows(rows, self.header))

    def _odd_rows(self) -> tuple[int, int]:
        """Return how many rows were not only counted, and how many orders are still unproven."""
        return self._inspected + self._problems.reports, len(self.dates.open_orders)

    def _read_lot(self, records: list[bytes], block: bytes) -> None:
        if b"\r" in block:
            self.record_ends.update({record[-2:] for record in records})
        else:
            self.record_ends.update({records[0][-1:], records[-1][-1:]})
        if self._are_regular(records, block):
            self.dates.add_regular(records, self.line)
            self.count(len(records))
        elif self._commas < 0:
            self._read_one_by_one(records)
        elif b'"' not in block:
            self._read_ragged(records, block)
        else:
            lot = quoted_lots.plain_lot(records, block, self._folded)
            if lot and self.dates.add_plain_lot(lot, self.line):
                self.count(len(records))
            else:
                self._parse(records)

    def count(self, rows: int) -> None:
        """Count rows of one line each."""
        if self.rows + rows > self._limits.rows and not self._line_over_limit:
            self._line_over_limit = self.line + self._limits.rows - self.rows
        self.rows += rows
        self.line += rows

    def _read_ragged(self, records: list[bytes], block: bytes) -> None:
        """Count records without quotes that have nothing odd but commas at their ends."""
        surplus = [at for at, record in enumerate(records) if record.count(b",") > self._commas]
        cut = records.copy()
        for at in surplus:
            filled = records[at].rstrip(b", \t\r\n")
            cut[at] = filled + b"," * (self._commas - filled.count(b","))
        if surplus and self._are_regular(cut, block):
            self._problems.report("surplus_commas", self.line + surplus[0])
            self.dates.add_regular(cut, self.line)
            self.count(len(cut))
        else:
            self._read_one_by_one(records)

    def _parse(self, records: list[bytes]) -> None:
        """Parse records of which some have quotes; read those with anything odd one by one."""
        rows = record_splitter.parse_records(records)
        start = 0
        for index in [*quoted_lots.odd_rows(records, rows, self._folded), len(rows)]:
            if start < index:
                self.dates.add_rows(rows[start:index], self.line)
                self.count(index - start)
            self._read_one_by_one(records[index : index + 1])
            start = index + 1
        if start < len(records):
            self._parse(records[start:])

    def _read_one_by_one(self, records: list[bytes]) -> None:
        for record in records:
            line = self.line
            if self._are_regular([record], record):
                self.dates.add_regular([record], line)
                self.count(1)
            else:
                self._inspect_record(record)
                self.line += record_splitter.line_breaks(record)
            if self.rows > self._limits.rows and not self._line_over_limit:
                self._line_over_limit = line

    def _are_regular(self, records: list[bytes], block: bytes) -> bool:
        """Return whether all records are regular.

        A regular record is one line without quotes, with as many cells as the header, and neither
        blank, nor of dashes, nor another header.
        """
        if b'"' in block or any(map(block.__contains__, self._header_records)):
            return False
        comma_counts = set(map(bytes.count, records, repeat(b",")))
        return comma_counts == {self._commas} and not quoted_lots.has_odd_bytes(records, block)

    def _inspect_record(self, record: bytes) -> None:
        self._inspected += 1
        line = self.line
        if record.startswith(BOM_UTF8) and looks_like_header(
            parse_record(record.removeprefix(BOM_UTF8)) or []
        ):
            self._problems.report("second_header", line)
        cells = parse_record(record)
        if cells is not None and skipped_lines.is_skipped(cells):
            self._report_skipped(record, cells, line)
            return
        self.rows += 1
        if cells is not None:
            self._inspect_cells(cells, line)
        if b'"' in record:
            self._inspect_quotes(record, cells, line)

    def _report_skipped(self, record: bytes, cells: Sequence[str], line: int) -> None:
        if skipped_lines.is_line_of_dashes(cells):
            self._problems.report("dashes_skipped", line)
        elif b"," in record:
            self._problems.report("comma_lines", line)

    def _inspect_cells(self, cells: list[str], line: int) -> None:
        count, cells = len(cells), self.header.fit(cells)
        if count > len(cells):
            self._problems.report("surplus_commas", line)
        if len(cells) != len(self._folded):
            if not any("\0" in cell for cell in cells):  # the row is rejected for its NUL bytes
                self._rows_with_wrong_cell_count += 1
                if self._rows_with_wrong_cell_count == 1:
                    self._first_wrong_count = (line, len(cells))
            return
        self.dates.add_rows([cells], line)
        if any(cells[index].strip() for index in self._unnamed_columns):
            self._report_nameless_column(cells, line)
        elif not any(map(str.isdecimal, cells)):
            self._repeated_headers += named_columns(cells) == self._named

    def _report_nameless_column(self, cells: Sequence[str], line: int) -> None:
        """Report the first row with a value in a column without a name; inspect no others."""
        hint = f"line {line:,} has a value in a column without a name: name it if it's needed"
        if not self._unnamed_columns[0] and self.rows == 1 and cells[0].strip() in ("0", "1"):
            hint = "the first column has row numbers, as pandas and R write them: no action needed"
        self._problems.withdraw("nameless_ignored")
        self._problems.report("nameless_column", line, hint)
        self._unnamed_columns = ()
        self._commas = len(self._folded) - 1

    def _inspect_quotes(self, record: bytes, cells: list[str] | None, line: int) -> None:
        if quotes.has_unclosed_quote(record, cells, self.header):
            lines_before_quote = record_splitter.line_of_unclosed_quote(record) or 0
            self._problems.report("unclosed_quote", line + lines_before_quote)
        elif cells is not None and (code := quotes.warning_code(record, cells)):
            self._problems.report(code, line)
