"""Scan a whole file before its rows are read: header, number of rows, problems, checkpoints."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial

from rollbook.studentfile.limits import Limits
from rollbook.studentfile.mapping.choice import MappingChoice, NoMapping
from rollbook.studentfile.problems.problem import Problem, most_severe
from rollbook.studentfile.reading import (
    byte_checks,
    encodings,
    file_type,
    header_search,
    record_splitter,
    skipped_lines,
)
from rollbook.studentfile.reading.competing_columns import check_competing_columns
from rollbook.studentfile.reading.date_order import DateColumn
from rollbook.studentfile.reading.equal_text import EqualTextReader
from rollbook.studentfile.reading.header import Header, looks_like_header
from rollbook.studentfile.reading.lots import Lots, TextLost, TextMemory
from rollbook.studentfile.reading.record_splitter import parse_record
from rollbook.studentfile.reading.row_scan import FirstProblems, RowScanner, is_too_long
from rollbook.studentfile.reading.scanned_lots import NotExact, ScannedLots
from rollbook.studentfile.reading.source import Source, size_of
from rollbook.studentfile.rules import FileRules

CHECKPOINT_INTERVAL_BYTES = 1 << 21
"""Minimum distance of two checkpoints."""

_ROWS_AT_END = 2 * skipped_lines.MAX_TRAILING_LINES
"""So many rows are never skipped, if they are as long as others."""


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
        lots: Its text, as a memory keeps it; None if it isn't to be remembered.
    """

    encoding: str
    header: Header | None
    rows: int
    problems: tuple[Problem, ...]
    checkpoints: tuple[record_splitter.FilePosition, ...] = ()
    rules: FileRules = field(default_factory=FileRules)
    lots: Lots | None = field(default=None, compare=False)

    @property
    def refusal(self) -> Problem | None:
        """The most severe error, for which the whole file is refused; None if it is accepted."""
        return most_severe(self.problems)


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

    Rows that the last file has, too, aren't scanned again if they had no problem.

    Args:
        source: The file.
        encoding: The encoding in the district's settings, as normalize_encoding_name() returns it.
            A byte order mark in the file has precedence, and so have characters in UTF-8.
        limits: The limits, if not the default ones.
        rules: The rules that the district has set.
        mappings: The column mappings through which the file can be read.
        memory: Knows the text of the last file.

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
    scanner: _FileScanner | None = None
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


def _scan_valid_utf8(
    source: Source, scan_text: "Callable[[_Text], _FileScanner]"
) -> "_FileScanner | None":
    """Scan and check a file that is probably UTF-8, in one pass.

    Returns:
        The scanner; None if there is an invalid byte, or if the scan ended before the file.
    """
    text = _Text(source, encodings.UTF_8, is_checked=True)
    try:
        scanner = scan_text(text)
    except UnicodeDecodeError:
        return None
    return scanner if text.is_complete else None


def _scan_text(
    limits: Limits, mappings: MappingChoice, memory: TextMemory | None, text: "_Text"
) -> "_FileScanner":
    """Return a scanner that has read the text."""
    scanner = _FileScanner(limits, mappings, memory)
    try:
        scanner.read(text)
    except (NotExact, TextLost):
        scanner = _FileScanner(limits, mappings, None)
        scanner.read(text)
    return scanner


@dataclass(slots=True)
class _Text:
    """The text of a file.

    Attributes:
        source: The file.
        encoding: Its encoding.
        is_checked: Whether reading it raises UnicodeDecodeError before a byte that isn't UTF-8.
        is_complete: Whether it was read to its end.
    """

    source: Source
    encoding: str
    is_checked: bool = False
    is_complete: bool = False

    def chunks(self, start: int = 0) -> Iterator[bytes]:
        """Yield it as UTF-8, from a byte on."""
        chunks = encodings.utf8_chunks(self.source, self.encoding, start)
        yield from encodings.valid_utf8(chunks) if self.is_checked else chunks
        self.is_complete = True


class _FileScanner:
    """Scans all records in one pass: finds the header, and passes over text of the last file."""

    def __init__(self, limits: Limits, mappings: MappingChoice, memory: TextMemory | None) -> None:
        self._limits = limits
        self._mappings = mappings
        self._lots = ScannedLots(memory)
        self._byte = 0  # of the next record
        self._rows: RowScanner | None = None  # once there is a header
        self.checkpoints: list[record_splitter.FilePosition] = []
        self._line = 1  # of the next record above the rows
        self._first_problems = FirstProblems()
        self._header_problems: list[Problem] = []
        self._skipped_lines: list[Problem] = []
        self._record_ends: set[bytes] = set()

    def read(self, text: _Text) -> None:
        """Scan the text.

        Raises:
            NotExact: It must be scanned without a memory.
            TextLost: Likewise.
        """
        footers = skipped_lines.FooterFilter()
        batches = footers.filter(self._records(text.chunks()))
        try:
            rows = self._read_header(batches)
            if rows:
                self._count_bytes(0, rows)
                for batch in self._without_known(batches, text, footers, rows):
                    rows.read(batch, self._lots)
                    self._count_bytes(sum(map(len, batch)), rows)
                    if rows.is_too_long:
                        break
                self._skipped_lines += skipped_lines.footer_problems(footers.skipped, rows.line)
                rows.find_failure(footers.last)
        except record_splitter.RecordTooLongError as error:
            self._report_too_long_record(error.record)

    def _records(self, chunks: Iterator[bytes]) -> Iterator[list[bytes]]:
        return record_splitter.iter_records(chunks, self._limits.row_bytes)

    def _count_bytes(self, size: int, rows: RowScanner) -> None:
        """Count the bytes of rows that were read, and add a checkpoint after them if it is due."""
        self._byte += size
        last = self.checkpoints[-1].byte if self.checkpoints else 0
        if self._byte >= last + CHECKPOINT_INTERVAL_BYTES:
            self.checkpoints.append(record_splitter.FilePosition(self._byte, rows.line))
            self._lots.end_lot()

    # Text of the last file

    def _without_known(
        self,
        batches: Iterator[list[bytes]],
        text: _Text,
        footers: skipped_lines.FooterFilter,
        rows: RowScanner,
    ) -> Iterator[list[bytes]]:
        """Yield the batches; of what follows the first rows, only the records that aren't known."""
        while not rows.dates.has_first_rows:
            batch = next(batches, None)
            if batch is None:
                return
            yield batch
        last = self._lots.usable(rows.dates.open_orders)
        if last is None or self._line_ends() != {last.lots.line_end}:
            yield from batches
            return
        reader = EqualTextReader(last, text.chunks, self._byte)
        for piece in reader.pieces(size_of(text.source) - last.lots.bytes_of(_ROWS_AT_END)):
            if isinstance(piece, list):
                yield from record_splitter.check_record_size(piece, self._limits.row_bytes)
            elif rows.is_too_long:
                return
            else:
                rows.count(piece.records)
                self._lots.add_equal(piece)
                self._count_bytes(piece.size, rows)
        rows_at_end = 0
        for batch in footers.filter(self._records(reader.rest())):
            rows_at_end += len(batch)
            yield batch
        if rows_at_end < skipped_lines.MAX_TRAILING_LINES:
            raise NotExact

    @property
    def header(self) -> Header | None:
        """The header; None if it isn't found, or if the rows below it can't be read."""
        return self._rows.header if self._rows else None

    @property
    def dates(self) -> DateColumn:
        """What the dates of birth show."""
        return self._rows.dates if self._rows else DateColumn(None)

    @property
    def rows_kept(self) -> int:
        """The number of rows without those that a mapping skips."""
        return self._rows.rows_kept if self._rows else 0

    def finished_lots(self) -> Lots | None:
        """Return the lots of the file, for the memory; None if it isn't to be remembered."""
        ends = self._line_ends()
        if not self._rows or len(ends) != 1 or self._rows.is_too_long:
            return None
        return self._lots.finish(ends.pop(), self.dates.open_orders)

    def problems(self) -> Iterator[Problem]:
        """Yield the problems of the file as a whole, those of the header first."""
        yield from self._header_problems
        yield from self._skipped_lines
        yield from self._first_problems.all()
        if self._rows:
            yield from self._rows.problems()
        elif not self._header_problems and not self._first_problems.all():
            yield Problem("empty_file")
        if len(self._line_ends()) > 1:
            yield Problem("mixed_line_ends")

    def _line_ends(self) -> set[bytes]:
        ends = self._record_ends | (self._rows.record_ends if self._rows else set())
        return set(map(record_splitter.line_end, ends)) - {b""}

    def _report_too_long_record(self, record: bytes) -> None:
        max_bytes, max_columns = self._limits.row_bytes, self._limits.columns
        line = self._rows.line if self._rows else self._line
        lines_before_quote = record_splitter.line_of_unclosed_quote(record)
        if lines_before_quote is not None:
            self._first_problems.report("unclosed_quote", line + lines_before_quote)
        elif self._rows is None and record.count(b",") >= max_columns:
            hint = (
                f"at most {max_columns:,} columns are allowed: {header_search.REMOVE_COLUMNS_HINT}"
            )
            self._first_problems.report("too_many_columns", line, hint)
        else:
            hint = f"at most {max_bytes:,} bytes are allowed in a row: check the line breaks"
            self._first_problems.report("row_too_long", line, hint)

    # The header

    def _read_header(self, batches: Iterator[list[bytes]]) -> RowScanner | None:
        """Find the header; return what scans the rows after it, or None if they can't be read."""
        records: list[bytes] = []
        for batch in batches:
            records += batch
            self._byte += sum(map(len, batch))
            blank = header_search.count_blank(records)
            self._skip(records[:blank])
            records = records[blank:]
            if is_too_long(0, self._line, self._limits):
                return None
            if records and header_search.can_decide(records):
                break
        if not records:
            return None
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

    def _parse_header(self, names: list[str] | None, batch: list[bytes]) -> RowScanner | None:
        """Parse the header and read the rows after it in the batch.

        Args:
            names: Its cells; None if its quotes are invalid.
            batch: The records from the header on.
        """
        self._record_ends.add(batch[0][-2:])
        if names is None:
            self._first_problems.report("bad_header_quote", self._line)
            return None
        if b"\0" in batch[0]:
            self._header_problems.append(Problem("nul_bytes", self._line))
            return None
        mapping = self._mappings.for_header(names)
        if not mapping and (hint := header_search.hint_for_delimiter(names)):
            self._header_problems.append(Problem("wrong_delimiter", self._line, hint=hint))
            return None
        if len(names) > self._limits.columns:
            hint = header_search.hint_for_columns(len(names), self._limits.columns)
            self._header_problems.append(Problem("too_many_columns", self._line, hint=hint))
            return None
        header, problems = Header.parse(names, mapping)
        self._header_problems += [self._with_line_number(problem, batch) for problem in problems]
        if not mapping and not looks_like_header(names):
            return None
        rows = RowScanner(header, batch[0], self._line, self._limits, self._first_problems)
        start = self._byte - sum(map(len, batch[1:]))
        self._lots.begin(header, record_splitter.FilePosition(start, rows.line))
        self._rows = rows
        rows.read(batch[1:], self._lots)
        return rows

    def _with_line_number(self, problem: Problem, batch: list[bytes]) -> Problem:
        hint = problem.hint
        if problem.code == "header_not_found":
            hint = header_search.hint_for_title(batch, self._line)
        return replace(problem, line=self._line, hint=hint)
