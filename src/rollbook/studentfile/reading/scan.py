"""A whole file before any of its rows is read: is it acceptable, what is its header, how many rows has it?"""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import repeat
from pathlib import Path

from rollbook.studentfile.columns import fold_header
from rollbook.studentfile.limits import Limits
from rollbook.studentfile.problems.problem import Problem, Severity, most_severe
from rollbook.studentfile.reading import encodings, file_type, record_splitter
from rollbook.studentfile.reading.header import Header, looks_like_header

MAX_RAGGED_SHARE = 0.2
"""The share of rows that may have too few or too many cells before the whole file is refused."""
MAX_LINES_WITHOUT_QUOTES = 5
"""A row over more lines than this has a quote that was never meant to be open."""
MAX_LINES_PER_ROW = 8
"""A file with more lines than this for each row it may have is not read to its end: it is blank for the most part."""
CHECKPOINT_INTERVAL_BYTES = 1 << 21
"""Bytes from one mark to the next."""

_RECORDS_PER_BLOCK = 64
"""Records that are looked at together: few enough that most lots have no quote if one record in a thousand has one."""
_BOM = "\ufeff".encode()
_BLANK = b' ",\t\r\n'
_DELIMITERS = {";": "semicolons", "\t": "tabs", "|": "bars"}
_LINES_SEARCHED_FOR_HEADER = 10
_LEAVE_OUT_HINT = "leave out those that are not needed"


@dataclass(frozen=True)
class FileScan:
    """What is known of a file before its rows are read: the encoding it is read in, its header (None if there is
    none), the number of rows without the header and blank lines, and every problem of the file as a whole. Reading
    may begin at each of the marks, which are some ``STRETCH`` apart.
    """

    encoding: str
    header: Header | None
    rows: int
    problems: tuple[Problem, ...]
    checkpoints: tuple[record_splitter.FilePosition, ...] = ()

    @property
    def refusal(self) -> Problem | None:
        """The weightiest problem that makes the whole file unacceptable, else None."""
        return most_severe(self.problems)


def scan(path: Path, *, encoding: str = encodings.UTF_8, limits: Limits | None = None) -> FileScan:
    """Reads the whole file in flat memory. `encoding` is what the district's settings name, as known_encoding() spells
    it; a byte order mark in the file wins over it. Raises OSError if the file cannot be read.
    """
    limits = limits or Limits()
    with path.open("rb") as file:
        head = file.read(file_type.SNIFFED_BYTES)
    encoding = encodings.detect_encoding(head, encoding)
    hopeless = _reject_other_file_types(path, head, limits)
    if hopeless:
        return FileScan(encoding, None, 0, (hopeless,))
    problems, readable = _problems_of_bytes(path, head, encoding)
    if not readable:
        return FileScan(encoding, None, 0, tuple(problems))
    reading = _Scanner(limits)
    reading.read(encodings.utf8_chunks(path, encoding))
    return FileScan(
        encoding,
        reading.header,
        reading.rows,
        (*problems, *reading.problems()),
        tuple(reading.marks),
    )


def _reject_other_file_types(path: Path, head: bytes, limits: Limits) -> Problem | None:
    code = file_type.detect_non_csv(head)
    if code:
        return Problem(code)
    if path.stat().st_size > limits.bytes:
        return Problem(
            "too_large",
            hint=f"at most {limits.bytes:,} bytes are allowed; split the file by school",
        )
    return None


def _problems_of_bytes(path: Path, head: bytes, encoding: str) -> tuple[list[Problem], bool]:
    """The problems of the bytes, and whether reading on makes sense."""
    problems = [Problem("utf16_decoded")] if encoding == encodings.UTF_16 else []
    if encodings.count_boms(head) > 1:
        problems.append(Problem("double_bom", 1))
    bad = encodings.first_bad_byte(path, encoding)
    if bad and encoding != encodings.UTF_8:
        return [*problems, Problem("wrong_encoding", bad.line, hint=_where(bad, encoding))], False
    if bad:
        problems.append(Problem("not_utf8", bad.line, hint=_where(bad, bad.guess)))
    nul = encodings.first_nul(path, encoding)
    if nul is None:
        return problems, True
    if encoding != encodings.UTF_16 and file_type.looks_like_utf16(head):
        return [Problem("nul_bytes", nul, hint="it looks like UTF-16; save it as CSV UTF-8")], False
    return [*problems, Problem("nul_bytes", nul)], True


def _where(bad: encodings.BadByte, name: str) -> str:
    place = f"line {bad.line:,}, byte {bad.byte:,} of the file"
    if name == bad.guess:
        return f"{place}{f' looks like {name}' if name else ' is the first bad one'}; save it as CSV UTF-8"
    return f"{place} is not {name}; save it as CSV UTF-8, or correct the encoding in the settings"


class _Scanner:
    """One pass over the records; remembers for each problem where it was first seen, and how often."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.header: Header | None = None
        self.rows = 0
        self.marks: list[record_splitter.FilePosition] = []
        self._line = 1  # of the next record
        self._rows_with_wrong_cell_count = 0
        self._first_ragged = 0
        self._seen: dict[str, Problem] = {}
        self._other: list[Problem] = []
        self._repeated_headers = 0
        self._ends: set[bytes] = set()

    def read(self, chunks: Iterator[bytes]) -> None:
        batches = self._marked(record_splitter.iter_records(chunks, self.limits.row_bytes))
        try:
            if self._read_header(batches):
                for batch in batches:
                    self._read_rows(batch)
                    if self._is_too_long():
                        break
        except record_splitter.RecordTooLongError as error:
            self._report_too_long_record(error.record)

    def _marked(self, batches: Iterator[list[bytes]]) -> Iterator[list[bytes]]:
        """The batches themselves; behind one that has been read there may be a mark, but none before the header."""
        byte, due = 0, CHECKPOINT_INTERVAL_BYTES
        for batch in batches:
            yield batch
            byte += sum(map(len, batch))
            if self.header and byte >= due:
                self.marks.append(record_splitter.FilePosition(byte, self._line))
                due = byte + CHECKPOINT_INTERVAL_BYTES

    def problems(self) -> Iterator[Problem]:
        """All problems of the file as a whole, those of the header first."""
        yield from self._other
        yield from self._seen.values()
        if self.header:
            yield from self._problems_of_rows()
        elif not self._other and not self._seen:
            yield Problem("empty_file")
        if self._repeated_headers > 1:
            yield Problem("joined_files")
        if len({_line_end(end) for end in self._ends} - {b""}) > 1:
            yield Problem("mixed_line_ends")

    def _problems_of_rows(self) -> Iterator[Problem]:
        errors = [problem for problem in self._seen.values() if problem.severity is Severity.ERROR]
        if self._is_too_long():
            yield Problem(
                "too_many_rows",
                hint=f"at most {self.limits.rows:,} rows are allowed; split the file by school",
            )
        elif not self.rows and not errors:
            yield Problem("no_rows", 1)
        if self._rows_with_wrong_cell_count > self.rows * MAX_RAGGED_SHARE:
            found = f"{self._rows_with_wrong_cell_count:,} of {self.rows:,} rows do not fit the header, line {self._first_ragged:,} first"
            yield Problem(
                "structure", self._first_ragged, hint=f"{found}: quote cells that contain commas"
            )

    def _is_too_long(self) -> bool:
        return self.rows > self.limits.rows or self._line > MAX_LINES_PER_ROW * (
            self.limits.rows + 1
        )

    def _report_once(self, code: str, line: int, hint: str = "") -> None:
        self._seen.setdefault(code, Problem(code, line, hint=hint))

    def _report_too_long_record(self, record: bytes) -> None:
        limit, columns = self.limits.row_bytes, self.limits.columns
        broken = record_splitter.line_of_unclosed_quote(record)
        if broken is not None:
            self._report_once("unclosed_quote", self._line + broken)
        elif self.header is None and record.count(b",") >= columns:
            self._report_once(
                "too_many_columns",
                self._line,
                f"at most {columns} columns are allowed: {_LEAVE_OUT_HINT}",
            )
        else:
            self._report_once(
                "row_too_long",
                self._line,
                f"at most {limit:,} bytes a row are allowed: check the line breaks",
            )

    # The header

    def _read_header(self, batches: Iterator[list[bytes]]) -> bool:
        """Finds the first line that is not blank; whether the rows below it can be read."""
        for batch in batches:
            if self._is_too_long():
                break
            for index, record in enumerate(batch):
                self._ends.add(record[-2:])
                cells = _cells(record)
                if cells is None or not record_splitter.is_blank(cells):
                    return self._take_header(cells, batch[index:])
                self._line += record_splitter.line_breaks(record)
        return False

    def _take_header(self, names: list[str] | None, batch: list[bytes]) -> bool:
        if names is None:
            self._report_once("bad_quote", self._line)
            return False
        hint = _hint_for_delimiter(names)
        if hint or len(names) > self.limits.columns:
            code, other = ("wrong_delimiter", hint) if hint else ("too_many_columns", "")
            self._other.append(
                Problem(code, self._line, hint=other or _over(len(names), self.limits.columns))
            )
            return False
        header, problems = Header.parse(names)
        self._other += [self._with_line_number(problem, batch) for problem in problems]
        if not looks_like_header(names):
            return False
        self._set(header, batch[0])
        self._read_rows(batch[1:])
        return True

    def _with_line_number(self, problem: Problem, batch: list[bytes]) -> Problem:
        hint = problem.hint
        if problem.code == "header_not_found":
            hint = _hint_for_title(batch[: _LINES_SEARCHED_FOR_HEADER + 1], self._line)
        return replace(problem, line=self._line, hint=hint)

    def _set(self, header: Header, record: bytes) -> None:
        self.header = header
        self._line += record_splitter.line_breaks(record)
        self._header_record = record.rstrip(b"\r\n")
        self._folded = [fold_header(name) for name in header.names]
        self._nameless = header.unnamed_columns
        if self._nameless:
            self._report_once("nameless_ignored", self._line - 1)
        self._commas = -1 if self._nameless else len(header.names) - 1

    # The rows

    def _read_rows(self, batch: list[bytes]) -> None:
        """Counts rows that are as they should be without looking into them; all others are looked at."""
        for first in range(0, len(batch), _RECORDS_PER_BLOCK):
            some = batch[first : first + _RECORDS_PER_BLOCK]
            self._ends.update({record[-2:] for record in some})
            if self._are_plain(some):
                self.rows += len(some)
                self._line += len(some)
            else:
                for record in some:
                    self._read_row(record)

    def _are_plain(self, some: list[bytes]) -> bool:
        """Whether each record is as most are: a line without a quote, as many cells as the header, not all of them
        blank; and none of them may be another header.
        """
        block = b"".join(some)
        if b'"' in block or _BOM in block or self._header_record in block:
            return False
        return set(map(bytes.count, some, repeat(b","))) == {self._commas} and all(
            map(bytes.strip, some, repeat(_BLANK))
        )

    def _read_row(self, record: bytes) -> None:
        if (
            (
                record.count(b",") == self._commas
                if b'"' not in record
                else _is_quoted_throughout(record, self._commas)
            )
            and record.strip(_BLANK)
            and record[:3] != _BOM
            and not record.startswith(self._header_record)
        ):
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
        self._inspect_cells(cells or [], line)
        if b'"' in record:
            self._inspect_quotes(record, cells or [], line)

    def _inspect_cells(self, cells: Sequence[str], line: int) -> None:
        if len(cells) != len(self._folded):
            self._rows_with_wrong_cell_count += 1
            self._first_ragged = self._first_ragged or line
        elif any(cells[index].strip() for index in self._nameless):
            self._report_once(
                "nameless_column",
                line,
                f"line {line:,} has a value in a column without a name: name the column",
            )
        elif [fold_header(cell) for cell in cells] == self._folded:
            self._repeated_headers += 1

    def _inspect_quotes(self, record: bytes, cells: Sequence[str], line: int) -> None:
        if record_splitter.line_breaks(record.rstrip(b"\r\n")) >= MAX_LINES_WITHOUT_QUOTES:
            self._report_once(
                "unclosed_quote", line + (record_splitter.line_of_unclosed_quote(record) or 0)
            )
        if not any('"' in cell for cell in cells):
            return
        if any(cell[:1] == " " and cell.lstrip(" ")[:1] == '"' for cell in cells):
            self._report_once("space_before_quote", line)
        elif any(
            cell[:1] != b'"' and b'"' in cell for _, cell in record_splitter.raw_cells(record)
        ):
            self._report_once("quote_in_cell", line)


def _cells(record: bytes) -> list[str] | None:
    """The cells of one record, or None if the csv module does not accept its quotes."""
    try:
        return next(csv.reader([record.decode("utf-8", "replace")], strict=True), [])
    except csv.Error:
        return None


def _is_quoted_throughout(record: bytes, commas: int) -> bool:
    """Whether a record is one line of that many cells, each of them quoted and none with a quote inside."""
    inner = record.rstrip(b"\r\n")
    return (
        inner[:1] == inner[-1:] == b'"'
        and inner.count(b'","') == commas
        and inner.count(b'"') == 2 * commas + 2
        and b"\n" not in inner
        and b"\r" not in inner
    )


def _line_end(end: bytes) -> bytes:
    return end if end == b"\r\n" else end[-1:] if end[-1:] in (b"\r", b"\n") else b""


def _over(count: int, limit: int) -> str:
    return f"it has {count:,} columns and at most {limit:,} are allowed: {_LEAVE_OUT_HINT}"


def _hint_for_delimiter(names: Sequence[str]) -> str:
    """What to do if another character than the comma separates the cells; nothing if it does not."""
    line = ",".join(names)
    if line.lower().startswith("sep=") and line[4:5] in _DELIMITERS:
        return "remove the line that begins with sep= and export with commas between the cells"
    for delimiter, plural in _DELIMITERS.items():
        known = looks_like_header(line.split(delimiter)) and not looks_like_header(names)
        if known or (len(names) == 1 and delimiter in line):
            return f"its header is separated by {plural}: export it with commas between the cells"
    return ""


def _hint_for_title(batch: Sequence[bytes], line: int) -> str:
    """Where the header is if not at the top."""
    for record in batch[1:]:
        line += 1
        if looks_like_header(_cells(record) or []):
            return f"line {line:,} looks like the header: remove the lines above it"
    return ""
