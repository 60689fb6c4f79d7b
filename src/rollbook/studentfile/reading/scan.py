"""Scan a whole file before its rows are read: header, number of rows, problems, checkpoints."""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import repeat
from pathlib import Path

from rollbook.studentfile.columns import fold_header
from rollbook.studentfile.limits import Limits
from rollbook.studentfile.problems.problem import Problem, most_severe
from rollbook.studentfile.reading import byte_checks, encodings, file_type, record_splitter
from rollbook.studentfile.reading.date_order import DateColumn
from rollbook.studentfile.reading.header import Header, looks_like_header
from rollbook.studentfile.rules import FileRules

MAX_RAGGED_SHARE = 0.2
"""If more of the rows have too few or too many cells, the whole file is refused."""
UNCLOSED_QUOTE_LINE_BREAKS = 5
"""If a row contains so many line breaks, one of its quotes was probably never closed."""
MAX_LINES_PER_ROW = 8
"""A file with more lines than this for each allowed row is mostly blank, and not read further."""
CHECKPOINT_INTERVAL_BYTES = 1 << 21
"""Minimum distance of two checkpoints."""

_RECORDS_PER_BLOCK = 64
"""Records inspected together: so few that most blocks have no quote if some records have one."""
_BOM = "\ufeff".encode()
_BLANK = b' ",\t\r\n'
_DELIMITERS = {";": "semicolons", "\t": "tabs", "|": "vertical bars"}
_LINES_SEARCHED_FOR_HEADER = 10
_REMOVE_COLUMNS_HINT = "remove those that you don't need"


@dataclass(frozen=True)
class FileScan:
    """The result of a scan.

    Attributes:
        encoding: The encoding in which the file is read.
        header: Its header; None if it has none.
        rows: The number of rows, without the header and blank lines.
        problems: The problems of the file as a whole.
        checkpoints: Positions where reading can begin, about CHECKPOINT_INTERVAL_BYTES apart.
        rules: The rules by which its rows are to be validated.
    """

    encoding: str
    header: Header | None
    rows: int
    problems: tuple[Problem, ...]
    checkpoints: tuple[record_splitter.FilePosition, ...] = ()
    rules: FileRules = field(default_factory=FileRules)

    @property
    def refusal(self) -> Problem | None:
        """The most severe error, for which the whole file is refused; None if it is accepted."""
        return most_severe(self.problems)


def scan(
    path: Path,
    *,
    encoding: str = encodings.UTF_8,
    limits: Limits | None = None,
    rules: FileRules | None = None,
) -> FileScan:
    """Scan the whole file in constant memory.

    Args:
        path: The file.
        encoding: The encoding in the district's settings, as normalize_encoding_name() returns it.
            A byte order mark in the file has precedence.
        limits: The limits, if not the default ones.
        rules: The rules that the district has set.

    Raises:
        OSError: The file can't be read.
    """
    limits = limits or Limits()
    with path.open("rb") as file:
        head = file.read(file_type.SNIFFED_BYTES)
    encoding = encodings.detect_encoding(head, encoding)
    refusal = byte_checks.check_type_and_size(path, head, limits)
    if refusal:
        return FileScan(encoding, None, 0, (refusal,))
    problems, is_readable = byte_checks.check_encoding(path, head, encoding)
    if not is_readable:
        return FileScan(encoding, None, 0, tuple(problems))
    scanner = _Scanner(limits)
    scanner.read(encodings.utf8_chunks(path, encoding))
    file_rules, date_problems = scanner.dates.decide(rules or FileRules())
    problems += [*scanner.problems(), *date_problems]
    return FileScan(
        encoding,
        scanner.header,
        scanner.rows,
        tuple(problems),
        tuple(scanner.checkpoints),
        file_rules,
    )


class _Scanner:
    """Scans all records in one pass, and records where each problem first appears."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.header: Header | None = None
        self.rows = 0
        self.checkpoints: list[record_splitter.FilePosition] = []
        self.dates = DateColumn(None, 0)
        self._line = 1  # of the next record
        self._rows_with_wrong_cell_count = 0
        self._line_of_first_wrong_count = 0
        self._row_problems: dict[str, Problem] = {}  # the first of each code
        self._header_problems: list[Problem] = []
        self._repeated_headers = 0
        self._record_ends: set[bytes] = set()

    def read(self, chunks: Iterator[bytes]) -> None:
        """Scan the text, given as chunks of UTF-8."""
        batches = self._with_checkpoints(
            record_splitter.iter_records(chunks, self.limits.row_bytes)
        )
        try:
            if self._read_header(batches):
                for batch in batches:
                    self._read_rows(batch)
                    if self._is_too_long():
                        break
        except record_splitter.RecordTooLongError as error:
            self._report_too_long_record(error.record)

    def _with_checkpoints(self, batches: Iterator[list[bytes]]) -> Iterator[list[bytes]]:
        """Yield the batches, and add checkpoints between them, but none before the header."""
        byte, next_checkpoint = 0, CHECKPOINT_INTERVAL_BYTES
        for batch in batches:
            yield batch
            byte += sum(map(len, batch))
            if self.header and byte >= next_checkpoint:
                self.checkpoints.append(record_splitter.FilePosition(byte, self._line))
                next_checkpoint = byte + CHECKPOINT_INTERVAL_BYTES

    def problems(self) -> Iterator[Problem]:
        """Yield the problems of the file as a whole, those of the header first."""
        yield from self._header_problems
        yield from self._row_problems.values()
        if self.header:
            yield from self._problems_of_rows()
        elif not self._header_problems and not self._row_problems:
            yield Problem("empty_file")
        if self._repeated_headers > 1:
            yield Problem("joined_files")
        if len(set(map(_line_end, self._record_ends)) - {b""}) > 1:
            yield Problem("mixed_line_ends")

    def _problems_of_rows(self) -> Iterator[Problem]:
        if self._is_too_long():
            yield Problem(
                "too_many_rows",
                hint=f"split the file by school into files of at most {self.limits.rows:,} rows",
            )
        elif not self.rows and not self._has_row_error():
            yield Problem("no_rows", 1)
        if self._rows_with_wrong_cell_count > self.rows * MAX_RAGGED_SHARE:
            yield Problem("structure", self._line_of_first_wrong_count, hint=self._structure_hint())

    def _has_row_error(self) -> bool:
        return most_severe(self._row_problems.values()) is not None

    def _structure_hint(self) -> str:
        return (
            f"{self._rows_with_wrong_cell_count:,} of {self.rows:,} rows don't match the header, "
            f"the first one in line {self._line_of_first_wrong_count:,}: put values that contain "
            "a comma in quotation marks"
        )

    def _is_too_long(self) -> bool:
        max_lines = MAX_LINES_PER_ROW * (self.limits.rows + 1)
        return self.rows > self.limits.rows or self._line > max_lines

    def _report_once(self, code: str, line: int, hint: str = "") -> None:
        self._row_problems.setdefault(code, Problem(code, line, hint=hint))

    def _report_too_long_record(self, record: bytes) -> None:
        max_bytes, max_columns = self.limits.row_bytes, self.limits.columns
        lines_before_quote = record_splitter.line_of_unclosed_quote(record)
        if lines_before_quote is not None:
            self._report_once("unclosed_quote", self._line + lines_before_quote)
        elif self.header is None and record.count(b",") >= max_columns:
            hint = f"at most {max_columns:,} columns are allowed: {_REMOVE_COLUMNS_HINT}"
            self._report_once("too_many_columns", self._line, hint)
        else:
            hint = f"at most {max_bytes:,} bytes are allowed in a row: check the line breaks"
            self._report_once("row_too_long", self._line, hint)

    # The header

    def _read_header(self, batches: Iterator[list[bytes]]) -> bool:
        """Find the first line that is not blank; return whether the rows after it can be read."""
        for batch in batches:
            if self._is_too_long():
                break
            for index, record in enumerate(batch):
                self._record_ends.add(record[-2:])
                cells = _cells(record)
                if cells is None or not record_splitter.is_blank(cells):
                    return self._parse_header(cells, batch[index:])
                self._line += record_splitter.line_breaks(record)
        return False

    def _parse_header(self, names: list[str] | None, batch: list[bytes]) -> bool:
        """Parse the header and read the rows after it in the batch.

        Args:
            names: Its cells; None if its quotes are invalid.
            batch: The records from the header on.
        """
        if names is None:
            self._report_once("bad_quote", self._line)
            return False
        if hint := _hint_for_delimiter(names):
            self._header_problems.append(Problem("wrong_delimiter", self._line, hint=hint))
            return False
        if len(names) > self.limits.columns:
            hint = _hint_for_columns(len(names), self.limits.columns)
            self._header_problems.append(Problem("too_many_columns", self._line, hint=hint))
            return False
        header, problems = Header.parse(names)
        self._header_problems += [self._with_line_number(problem, batch) for problem in problems]
        if not looks_like_header(names):
            return False
        self._set_header(header, batch[0])
        self._read_rows(batch[1:])
        return True

    def _with_line_number(self, problem: Problem, batch: list[bytes]) -> Problem:
        hint = problem.hint
        if problem.code == "header_not_found":
            hint = _hint_for_title(batch[: _LINES_SEARCHED_FOR_HEADER + 1], self._line)
        return replace(problem, line=self._line, hint=hint)

    def _set_header(self, header: Header, record: bytes) -> None:
        self.header = header
        self.dates = DateColumn.of(header)
        self._line += record_splitter.line_breaks(record)
        self._header_record = record.rstrip(b"\r\n")
        self._folded = [fold_header(name) for name in header.names]
        self._unnamed_columns = header.unnamed_columns
        if self._unnamed_columns:
            self._report_once("nameless_ignored", self._line - 1)
        # With -1 no record is regular: each one is inspected for values in unnamed columns.
        self._commas = -1 if self._unnamed_columns else len(header.names) - 1

    # The rows

    def _read_rows(self, batch: list[bytes]) -> None:
        """Count blocks of regular records without parsing them; read all others one by one."""
        for first in range(0, len(batch), _RECORDS_PER_BLOCK):
            records = batch[first : first + _RECORDS_PER_BLOCK]
            self._record_ends.update({record[-2:] for record in records})
            if self._are_regular(records):
                self.dates.add_regular(records, self._line)
                self.rows += len(records)
                self._line += len(records)
            else:
                for record in records:
                    self._read_row(record)

    def _are_regular(self, records: list[bytes]) -> bool:
        """Return whether all records are regular.

        A regular record is one line without quotes, with as many cells as the header, and neither
        blank nor another header.
        """
        block = b"".join(records)
        if b'"' in block or _BOM in block or self._header_record in block:
            return False
        comma_counts = set(map(bytes.count, records, repeat(b",")))
        return comma_counts == {self._commas} and all(map(bytes.strip, records, repeat(_BLANK)))

    def _read_row(self, record: bytes) -> None:
        if b'"' in record:
            has_right_count = _is_fully_quoted(record, self._commas)
        else:
            has_right_count = record.count(b",") == self._commas
        if (
            has_right_count
            and record.strip(_BLANK)
            and record[:3] != _BOM
            and not record.startswith(self._header_record)
        ):
            self.dates.add_record(record, self._line)
            self.rows += 1
            self._line += 1
        elif not record.strip():
            self._line += 1
        else:
            self._inspect_record(record)
            self._line += record_splitter.line_breaks(record)

    def _inspect_record(self, record: bytes) -> None:
        line = self._line
        if record.startswith(_BOM) and looks_like_header(_cells(record.removeprefix(_BOM)) or []):
            self._report_once("second_header", line)
        cells = _cells(record)
        if cells is None:
            self._report_once("bad_quote", line)
        elif record_splitter.is_blank(cells):
            if b"," in record:
                self._report_once("comma_lines", line)
            return
        self.rows += 1
        self.dates.add_cells(cells or [], line)
        self._inspect_cells(cells or [], line)
        if b'"' in record:
            self._inspect_quotes(record, cells or [], line)

    def _inspect_cells(self, cells: Sequence[str], line: int) -> None:
        if len(cells) != len(self._folded):
            self._rows_with_wrong_cell_count += 1
            self._line_of_first_wrong_count = self._line_of_first_wrong_count or line
        elif any(cells[index].strip() for index in self._unnamed_columns):
            hint = f"line {line:,} has a value in a column without a name: name the column"
            self._report_once("nameless_column", line, hint)
        elif [fold_header(cell) for cell in cells] == self._folded:
            self._repeated_headers += 1

    def _inspect_quotes(self, record: bytes, cells: Sequence[str], line: int) -> None:
        if record_splitter.line_breaks(record.rstrip(b"\r\n")) >= UNCLOSED_QUOTE_LINE_BREAKS:
            lines_before_quote = record_splitter.line_of_unclosed_quote(record) or 0
            self._report_once("unclosed_quote", line + lines_before_quote)
        if not any('"' in cell for cell in cells):
            return
        if any(cell[:1] == " " and cell.lstrip(" ")[:1] == '"' for cell in cells):
            self._report_once("space_before_quote", line)
        elif _has_quote_in_unquoted_cell(record):
            self._report_once("quote_in_cell", line)


def _cells(record: bytes) -> list[str] | None:
    """Return the cells of one record, or None if its quotes are invalid."""
    try:
        return next(csv.reader([record.decode("utf-8", "replace")], strict=True), [])
    except csv.Error:
        return None


def _has_quote_in_unquoted_cell(record: bytes) -> bool:
    raw_cells = record_splitter.raw_cells(record)
    return any(cell[:1] != b'"' and b'"' in cell for _, cell in raw_cells)


def _is_fully_quoted(record: bytes, commas: int) -> bool:
    """Return whether a record is one line of `commas` + 1 quoted cells without quotes inside."""
    inner = record.rstrip(b"\r\n")
    return (
        inner[:1] == inner[-1:] == b'"'
        and inner.count(b'","') == commas
        and inner.count(b'"') == 2 * commas + 2
        and b"\n" not in inner
        and b"\r" not in inner
    )


def _line_end(end: bytes) -> bytes:
    """Return the line break at the end of a record, given its last two bytes."""
    if end == b"\r\n":
        return end
    return end[-1:] if end[-1:] in (b"\r", b"\n") else b""


def _hint_for_columns(count: int, limit: int) -> str:
    return f"it has {count:,} columns and at most {limit:,} are allowed: {_REMOVE_COLUMNS_HINT}"


def _hint_for_delimiter(names: Sequence[str]) -> str:
    """Return how to fix a header that is not separated by commas, or ""."""
    line = ",".join(names)
    if line.lower().startswith("sep=") and line[4:5] in _DELIMITERS:
        return "remove the line that starts with sep= and export with commas between the cells"
    for delimiter, plural in _DELIMITERS.items():
        is_header = looks_like_header(line.split(delimiter)) and not looks_like_header(names)
        if is_header or (len(names) == 1 and delimiter in line):
            return f"the header is separated by {plural}: export it with commas between the cells"
    return ""


def _hint_for_title(batch: Sequence[bytes], line: int) -> str:
    """Return where the header is if it isn't in the first record, or ""."""
    for record in batch[1:]:
        line += 1
        if looks_like_header(_cells(record) or []):
            return f"line {line:,} looks like the header: remove the lines above it"
    return ""
