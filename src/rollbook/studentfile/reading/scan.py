"""Scan a whole file before its rows are read: header, number of rows, problems, checkpoints."""

from codecs import BOM_UTF8
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import repeat

from rollbook.studentfile.columns import fold_header
from rollbook.studentfile.limits import Limits
from rollbook.studentfile.mapping.choice import MappingChoice, NoMapping
from rollbook.studentfile.problems.problem import Problem, most_severe
from rollbook.studentfile.reading import (
    byte_checks,
    encodings,
    file_type,
    header_search,
    quoted_lots,
    quotes,
    record_splitter,
    row_shape,
    skipped_lines,
)
from rollbook.studentfile.reading.competing_columns import check_competing_columns
from rollbook.studentfile.reading.date_order import DateColumn
from rollbook.studentfile.reading.dropped_rows import DroppedRows
from rollbook.studentfile.reading.file_scan import FileScan
from rollbook.studentfile.reading.header import Header, looks_like_header
from rollbook.studentfile.reading.lots import LotReader, Lots, TextMemory
from rollbook.studentfile.reading.record_splitter import parse_record
from rollbook.studentfile.reading.scanned_lots import NotExact, ScannedLots
from rollbook.studentfile.reading.source import Source, size_of
from rollbook.studentfile.rules import FileRules

MAX_RAGGED_SHARE = 0.2
"""If more of the rows have too few or too many cells, the whole file is refused."""
MAX_LINES_PER_ROW = 8
"""A file with more lines than this for each allowed row is mostly blank, and not read further."""
CHECKPOINT_INTERVAL_BYTES = 1 << 21
"""Minimum distance of two checkpoints."""

_RECORDS_PER_LOT = 64
"""Records inspected together: so few that most lots have no quote if some records have one."""
_ROWS_AT_END = 2 * skipped_lines.MAX_TRAILING_LINES
"""So many rows are never skipped, if they are as long as others."""


def scan(
    source: Source,
    *,
    encoding: str = encodings.UTF_8,
    limits: Limits | None = None,
    rules: FileRules | None = None,
    mappings: MappingChoice | None = None,
    memory: TextMemory | None = None,
) -> FileScan:
    """Scan the whole file in constant memory.

    Text that an earlier scan of the same kind has read without any problem isn't read again.

    Args:
        source: The file.
        encoding: The encoding in the district's settings, as normalize_encoding_name() returns it.
            A byte order mark in the file has precedence, and so have characters in UTF-8.
        limits: The limits, if not the default ones.
        rules: The rules that the district has set.
        mappings: The column mappings through which the file can be read.
        memory: What is known of earlier files.

    Raises:
        OSError: The file can't be read.
    """
    limits = limits or Limits()
    with source.open("rb") as file:
        head = file.read(file_type.SNIFFED_BYTES)
    refusal = byte_checks.check_type_and_size(source, head, limits)
    if refusal:
        return FileScan(encodings.detect_encoding(head, encoding), None, 0, (refusal,))
    scan_text = partial(_scan_text, limits, mappings or NoMapping())
    scanner: _Scanner | None = None
    if encodings.detect_encoding(head, encoding) == encodings.UTF_8:
        scanner = _scan_valid_utf8(source, partial(scan_text, memory))
    is_valid = scanner is not None
    checked = byte_checks.check_encoding(source, head, encoding, is_valid_utf8=is_valid)
    encoding, problems = checked.encoding, list(checked.problems)
    if not checked.is_readable:
        return FileScan(encoding, None, 0, tuple(problems))
    if scanner is None:
        known = memory if encoding == encodings.UTF_8 else None
        scanner = scan_text(known, _Text(source, encoding))
    file_rules, date_problems = scanner.dates.decide(rules or FileRules())
    problems += [*scanner.problems(), *date_problems]
    if scanner.header and scanner.header.competing_columns:
        problems += check_competing_columns(source, encoding, scanner.header, limits.row_bytes)
    return FileScan(
        encoding,
        scanner.header,
        scanner.rows_kept,
        tuple(problems),
        tuple(scanner.checkpoints),
        file_rules,
        scanner.finished_lots(),
    )


def _scan_valid_utf8(source: Source, scan_text: "Callable[[_Text], _Scanner]") -> "_Scanner | None":
    """Scan and check a file that is probably UTF-8, in one pass.

    Returns:
        The scanner; None if there is an invalid byte, or if the scan ended before the file.
    """
    text = _Utf8Text(source, encodings.UTF_8)
    try:
        scanner = scan_text(text)
    except UnicodeDecodeError:
        return None
    return scanner if text.is_valid else None


def _scan_text(
    limits: Limits, mappings: MappingChoice, memory: TextMemory | None, text: "_Text"
) -> "_Scanner":
    """Return a scanner that has read the text."""
    scanner = _Scanner(limits, mappings, memory)
    try:
        scanner.read(text)
    except NotExact:
        scanner = _Scanner(limits, mappings, None)
        scanner.read(text)
    return scanner


@dataclass(slots=True)
class _Text:
    """The text of a file in a known encoding."""

    source: Source
    encoding: str

    def chunks(self, start: int = 0) -> Iterator[bytes]:
        """Yield it as UTF-8, from a byte on."""
        return encodings.utf8_chunks(self.source, self.encoding, start)

    def size(self) -> int:
        """Return the bytes of the file, with byte order marks."""
        return size_of(self.source)


@dataclass(slots=True)
class _Utf8Text(_Text):
    """The text of a file that is probably UTF-8, which is checked while it is read.

    Attributes:
        is_valid: Whether it was read to its end, and has no invalid byte.
    """

    is_valid: bool = False

    def chunks(self, start: int = 0) -> Iterator[bytes]:
        """Yield it, from a byte on; raise UnicodeDecodeError before an invalid byte."""
        yield from encodings.valid_utf8(encodings.utf8_chunks(self.source, self.encoding, start))
        self.is_valid = True


class _Scanner:
    """Scans all records in one pass, and records where each problem first appears."""

    def __init__(self, limits: Limits, mappings: MappingChoice, memory: TextMemory | None) -> None:
        self.limits = limits
        self._mappings = mappings
        self._lots = ScannedLots(memory)
        self._byte = 0  # of the next record
        self.header: Header | None = None
        self.rows = 0
        self.checkpoints: list[record_splitter.FilePosition] = []
        self.dates = DateColumn(None, 0)
        self._line = 1  # of the next record
        self._rows_with_wrong_cell_count = 0
        self._line_of_first_wrong_count = 0
        self._row_problems: dict[str, Problem] = {}  # the first of each code
        self._inspected = 0  # rows that may have a problem, and problems that were reported
        self._header_problems: list[Problem] = []
        self._skipped_lines: list[Problem] = []
        self._header_line = 1
        self._line_over_limit: int | None = None
        self._repeated_headers = 0
        self._record_ends: set[bytes] = set()

    def read(self, text: _Text) -> None:
        """Scan the text.

        Raises:
            NotExact: It must be scanned without a memory.
        """
        footers = skipped_lines.FooterFilter()
        batches = footers.filter(self._records(text.chunks()))
        try:
            if self._read_header(batches):
                self._count_bytes(0)
                for batch in self._without_known(batches, text, footers):
                    self._read_rows(batch)
                    self._count_bytes(sum(map(len, batch)))
                    if self._is_too_long():
                        break
                self._skipped_lines += skipped_lines.footer_problems(footers.skipped, self._line)
        except record_splitter.RecordTooLongError as error:
            self._report_too_long_record(error.record)

    def _records(self, chunks: Iterator[bytes]) -> Iterator[list[bytes]]:
        return record_splitter.iter_records(chunks, self.limits.row_bytes)

    def _count_bytes(self, size: int) -> None:
        """Count the bytes of rows that were read, and add a checkpoint after them if it is due."""
        self._byte += size
        last = self.checkpoints[-1].byte if self.checkpoints else 0
        if self._byte >= last + CHECKPOINT_INTERVAL_BYTES:
            self.checkpoints.append(record_splitter.FilePosition(self._byte, self._line))

    # Text of an earlier file

    def _without_known(
        self, batches: Iterator[list[bytes]], text: _Text, footers: skipped_lines.FooterFilter
    ) -> Iterator[list[bytes]]:
        """Yield the batches; of what follows the first rows, only the records that aren't known."""
        while not self.dates.has_first_rows:
            batch = next(batches, None)
            if batch is None:
                return
            yield batch
        known = self._lots.usable(self.dates.open_orders)
        if known is None:
            yield from batches
            return
        self._record_ends.add(known.line_end)
        reader = LotReader(known, self._lots.hash_of, text.chunks(self._byte), self._byte)
        for piece in reader.pieces(stop=text.size() - known.bytes_of(_ROWS_AT_END)):
            if isinstance(piece, list):
                yield from record_splitter.check_record_size(piece, self.limits.row_bytes)
            elif self._is_too_long():
                return
            else:
                self._count(sum(known.records[piece]))
                self._lots.add_known(piece)
                self._count_bytes(sum(known.sizes[piece]))
        rows_at_end = 0
        for batch in footers.filter(self._records(reader.rest())):
            rows_at_end += len(batch)
            yield batch
        if rows_at_end < skipped_lines.MAX_TRAILING_LINES:
            raise NotExact

    def finished_lots(self) -> Lots | None:
        """Return the lots of the file, for the memory; None if it isn't to be remembered."""
        ends = set(map(record_splitter.line_end, self._record_ends)) - {b""}
        if not self.header or len(ends) != 1 or self._is_too_long():
            return None
        return self._lots.finish(ends.pop(), self.dates.open_orders)

    @property
    def rows_kept(self) -> int:
        """The number of rows without those that a mapping skips."""
        return self.rows - self.dropped.count if self.header else self.rows

    def problems(self) -> Iterator[Problem]:
        """Yield the problems of the file as a whole, those of the header first."""
        yield from self._header_problems
        yield from self._skipped_lines
        yield from self._row_problems.values()
        if self.header:
            yield from self._problems_of_rows()
        elif not self._header_problems and not self._row_problems:
            yield Problem("empty_file")
        if self._repeated_headers > 1:
            yield Problem("joined_files")
        if len(set(map(record_splitter.line_end, self._record_ends)) - {b""}) > 1:
            yield Problem("mixed_line_ends")

    def _problems_of_rows(self) -> Iterator[Problem]:
        if self._is_too_long():
            yield Problem(
                "too_many_rows",
                self._line_over_limit or self._line,
                hint=f"split the file by school into files of at most {self.limits.rows:,} rows",
            )
        elif not self.rows and not self._has_row_error():
            yield Problem("no_rows", self._header_line)
        yield from self.dropped.problems(self.rows, self._header_line)
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
        self._inspected += 1
        self._row_problems.setdefault(code, Problem(code, line, hint=hint))

    def _report_too_long_record(self, record: bytes) -> None:
        max_bytes, max_columns = self.limits.row_bytes, self.limits.columns
        lines_before_quote = record_splitter.line_of_unclosed_quote(record)
        if lines_before_quote is not None:
            self._report_once("unclosed_quote", self._line + lines_before_quote)
        elif self.header is None and record.count(b",") >= max_columns:
            hint = (
                f"at most {max_columns:,} columns are allowed: {header_search.REMOVE_COLUMNS_HINT}"
            )
            self._report_once("too_many_columns", self._line, hint)
        else:
            hint = f"at most {max_bytes:,} bytes are allowed in a row: check the line breaks"
            self._report_once("row_too_long", self._line, hint)

    # The header

    def _read_header(self, batches: Iterator[list[bytes]]) -> bool:
        """Find the header; return whether the rows after it can be read."""
        records: list[bytes] = []
        for batch in batches:
            records += batch
            self._byte += sum(map(len, batch))
            blank = header_search.count_blank(records)
            self._skip(records[:blank])
            records = records[blank:]
            if self._is_too_long():
                return False
            if records and header_search.can_decide(records):
                break
        if not records:
            return False
        above = header_search.find_mapped_header(records, self._mappings)
        if above is None:
            above = header_search.find_header(records)
        self._skipped_lines += header_search.title_problems(records[:above], self._line)
        self._skip(records[:above])
        return self._parse_header(parse_record(records[above]), records[above:])

    def _skip(self, records: list[bytes]) -> None:
        for record in records:
            self._record_ends.add(record[-2:])
            self._line += record_splitter.line_breaks(record)

    def _parse_header(self, names: list[str] | None, batch: list[bytes]) -> bool:
        """Parse the header and read the rows after it in the batch.

        Args:
            names: Its cells; None if its quotes are invalid.
            batch: The records from the header on.
        """
        self._record_ends.add(batch[0][-2:])
        if names is None:
            self._report_once("bad_header_quote", self._line)
            return False
        if b"\0" in batch[0]:
            self._header_problems.append(Problem("nul_bytes", self._line))
            return False
        mapping = self._mappings.for_header(names)
        if not mapping and (hint := header_search.hint_for_delimiter(names)):
            self._header_problems.append(Problem("wrong_delimiter", self._line, hint=hint))
            return False
        if len(names) > self.limits.columns:
            hint = header_search.hint_for_columns(len(names), self.limits.columns)
            self._header_problems.append(Problem("too_many_columns", self._line, hint=hint))
            return False
        header, problems = Header.parse(names, mapping)
        self._header_problems += [self._with_line_number(problem, batch) for problem in problems]
        if not mapping and not looks_like_header(names):
            return False
        self._set_header(header, batch[0])
        start = self._byte - sum(map(len, batch[1:]))
        self._lots.begin(header, record_splitter.FilePosition(start, self._line))
        self._read_rows(batch[1:])
        return True

    def _with_line_number(self, problem: Problem, batch: list[bytes]) -> Problem:
        hint = problem.hint
        if problem.code == "header_not_found":
            hint = header_search.hint_for_title(batch, self._line)
        return replace(problem, line=self._line, hint=hint)

    def _set_header(self, header: Header, record: bytes) -> None:
        self.header = self._header = header
        self.dropped = DroppedRows(header)
        self._header_line = self._line
        self.dates = DateColumn.of(header)
        self._line += record_splitter.line_breaks(record)
        self._header_record = record.rstrip(b"\r\n")
        self._folded = [fold_header(name) for name in header.names]
        self._unnamed_columns = header.unnamed_columns
        if self._unnamed_columns:
            self._report_once("nameless_ignored", self._header_line)
        # With -1 no record is regular: each one is inspected for values in unnamed columns.
        self._commas = -1 if self._unnamed_columns else len(header.names) - 1

    # The rows

    def _read_rows(self, batch: list[bytes]) -> None:
        """Count lots of regular records without parsing them; read all others."""
        self.dropped.add(batch)
        for first in range(0, len(batch), _RECORDS_PER_LOT):
            records = batch[first : first + _RECORDS_PER_LOT]
            block = b"".join(records)
            rows, line, odd = self.rows, self._line, self._odd_rows()
            self._read_lot(records, block)
            is_plain = (
                self.rows - rows == self._line - line == len(records) and self._odd_rows() == odd
            )
            self._lots.add(records, block, self._line - line, is_plain=is_plain)

    def _odd_rows(self) -> tuple[int, int]:
        """Return how many rows were not only counted, and how many orders are still unproven."""
        return self._inspected, len(self.dates.open_orders)

    def _read_lot(self, records: list[bytes], block: bytes) -> None:
        if b"\r" in block:
            self._record_ends.update({record[-2:] for record in records})
        else:
            self._record_ends.update({records[0][-1:], records[-1][-1:]})
        if self._are_regular(records, block):
            self.dates.add_regular(records, self._line)
            self._count(len(records))
        elif self._commas >= 0 and b'"' in block:
            self._read_quoted(records, block)
        else:
            self._read_one_by_one(records)

    def _count(self, rows: int) -> None:
        """Count rows of one line each."""
        if self.rows + rows > self.limits.rows and not self._line_over_limit:
            self._line_over_limit = self._line + self.limits.rows - self.rows
        self.rows += rows
        self._line += rows

    def _read_quoted(self, records: list[bytes], block: bytes) -> None:
        """Count records of which some have quotes; parse them if any may be odd."""
        lot = quoted_lots.plain_lot(records, block, self._folded)
        if lot and self.dates.add_plain_lot(lot, self._line):
            self._count(len(records))
        else:
            self._parse_quoted(records)

    def _parse_quoted(self, records: list[bytes]) -> None:
        """Parse records of which some have quotes; read those with anything odd one by one."""
        rows = record_splitter.parse_records(records)
        start = 0
        for index in [*quoted_lots.odd_rows(records, rows, self._folded), len(rows)]:
            if start < index:
                self.dates.add_rows(rows[start:index], self._line)
                self._count(index - start)
            self._read_one_by_one(records[index : index + 1])
            start = index + 1
        if start < len(records):
            self._parse_quoted(records[start:])

    def _read_one_by_one(self, records: list[bytes]) -> None:
        for record in records:
            line = self._line
            self._read_row(record)
            if self.rows > self.limits.rows and not self._line_over_limit:
                self._line_over_limit = line

    def _are_regular(self, records: list[bytes], block: bytes) -> bool:
        """Return whether all records are regular.

        A regular record is one line without quotes, with as many cells as the header, and neither
        blank, nor of dashes, nor another header.
        """
        if b'"' in block or self._header_record in block:
            return False
        comma_counts = set(map(bytes.count, records, repeat(b",")))
        return comma_counts == {self._commas} and not quoted_lots.has_odd_bytes(records, block)

    def _read_row(self, record: bytes) -> None:
        if b'"' in record:
            has_right_count = record_splitter.is_fully_quoted(record, self._commas)
        else:
            has_right_count = record.count(b",") == self._commas or self._has_surplus_commas(record)
        if (
            has_right_count
            and record.strip(skipped_lines.BLANK_OR_DASHES)
            and record[:3] != BOM_UTF8
            and not record.startswith(self._header_record)
        ):
            self.dates.add_record(record, self._line)
            self.rows += 1
            self._line += 1
        elif not record.strip(b" \t\v\f\r\n"):
            self._line += 1
        else:
            self._inspect_record(record)
            self._line += record_splitter.line_breaks(record)

    def _has_surplus_commas(self, record: bytes) -> bool:
        """Return whether a record has the right number of cells without the commas at its end."""
        filled = record.rstrip(b", \t\r\n")
        if not filled or filled.count(b",") > self._commas or record.count(b",") <= self._commas:
            return False
        self._report_once("surplus_commas", self._line)
        return True

    def _inspect_record(self, record: bytes) -> None:
        self._inspected += 1
        line = self._line
        if record.startswith(BOM_UTF8) and looks_like_header(
            parse_record(record.removeprefix(BOM_UTF8)) or []
        ):
            self._report_once("second_header", line)
        cells = parse_record(record)
        if cells is not None and skipped_lines.is_skipped(cells):
            self._report_skipped(record, cells, line)
            return
        self.rows += 1
        if cells is not None:
            self.dates.add_cells(cells, line)
            self._inspect_cells(cells, line)
        if b'"' in record:
            self._inspect_quotes(record, cells, line)

    def _report_skipped(self, record: bytes, cells: Sequence[str], line: int) -> None:
        if skipped_lines.is_line_of_dashes(cells):
            self._report_once("dashes_skipped", line)
        elif b"," in record:
            self._report_once("comma_lines", line)

    def _inspect_cells(self, cells: list[str], line: int) -> None:
        count, cells = len(cells), row_shape.fit_cells(cells, self._header)
        if count > len(cells):
            self._report_once("surplus_commas", line)
        if len(cells) != len(self._folded):
            if not any("\0" in cell for cell in cells):  # the row is rejected for its NUL bytes
                self._rows_with_wrong_cell_count += 1
                self._line_of_first_wrong_count = self._line_of_first_wrong_count or line
        elif any(cells[index].strip() for index in self._unnamed_columns):
            self._report_nameless_column(cells, line)
        elif fold_header(cells[0]) == self._folded[0]:
            self._repeated_headers += [fold_header(cell) for cell in cells] == self._folded

    def _report_nameless_column(self, cells: Sequence[str], line: int) -> None:
        """Report the first row with a value in a column without a name; inspect no others."""
        hint = f"line {line:,} has a value in a column without a name: name it if it's needed"
        if not self._unnamed_columns[0] and self.rows == 1 and cells[0].strip() in ("0", "1"):
            hint = "the first column has row numbers, as pandas and R write them: no action needed"
        self._row_problems.pop("nameless_ignored", None)
        self._report_once("nameless_column", line, hint)
        self._unnamed_columns = ()
        self._commas = len(self._folded) - 1

    def _inspect_quotes(self, record: bytes, cells: list[str] | None, line: int) -> None:
        if quotes.has_unclosed_quote(record, cells, self._header):
            lines_before_quote = record_splitter.line_of_unclosed_quote(record) or 0
            self._report_once("unclosed_quote", line + lines_before_quote)
        elif cells is not None and (code := quotes.warning_code(record, cells)):
            self._report_once(code, line)
