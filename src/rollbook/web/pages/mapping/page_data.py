"""What the page of a column mapping shows: some rows before and after, and a trial."""

from dataclasses import dataclass
from itertools import islice

from rollbook.accounts.permissions import Permission
from rollbook.districts.file_rules import file_rules
from rollbook.districts.local_dates import local_date
from rollbook.studentfile.columns import CONFIDENTIAL, Column
from rollbook.studentfile.file_validator import validate_rows
from rollbook.studentfile.mapping.mapping import MappingDocument
from rollbook.studentfile.mapping.sample import Sample
from rollbook.studentfile.problems.problem import most_severe, printable_excerpt
from rollbook.studentfile.reading.header import Header
from rollbook.studentfile.reading.reader import RawRow
from rollbook.studentfile.row_validator import RowValidator, ValidatedRow
from rollbook.students import recognition
from rollbook.web.pages.base.view import PageRequest

ROWS_SHOWN = 10
HIDDEN = "(hidden)"


@dataclass(frozen=True)
class Cell:
    """A cell before and after; ``before`` is empty if it is the same."""

    before: str
    after: str


@dataclass(frozen=True)
class Row:
    """A row of the file, with its cells by Rollbook column and its problems."""

    line: int
    cells: list[Cell]
    problems: list[str]


@dataclass(frozen=True)
class Example:
    """The first rows that are read through a mapping.

    Attributes:
        columns: The names of the Rollbook columns.
        rows: The rows.
        skipped: How many rows of the sample the mapping skips.
        of: How many rows the sample has.
        students: The primary keys of the students whom the rows name.
        problem: Why the file can't be read through the mapping; "" if it can.
    """

    columns: tuple[str, ...]
    rows: list[Row]
    skipped: int
    of: int
    students: set[int]
    problem: str


def example_of(page_request: PageRequest, sample: Sample, mapping: MappingDocument) -> Example:
    """Return the first rows of a sample as they are read through a mapping."""
    district = page_request.district
    header, problems = Header.parse(sample.names, mapping)
    reading, refusal = header.reading, most_severe(problems)
    if refusal or reading is None:
        return Example((), [], 0, len(sample.rows), set(), refusal.message if refusal else "")
    kept = [RawRow(line, list(cells)) for line, cells in sample.rows if reading.keeps(cells)]
    today = local_date(district, page_request.now)
    raw = list(islice(kept, ROWS_SHOWN))
    validated = validate_rows(RowValidator(header, today, rules=file_rules(district)), raw)
    students = recognition.in_rows(district.pk, [row.values for row in validated])
    visible = page_request.may(Permission.SEE_CONFIDENTIAL)
    rows = [_row(each, row, header, visible) for each, row in zip(raw, validated, strict=True)]
    skipped = len(sample.rows) - len(kept)
    names = tuple(column.name for column in reading.columns)
    return Example(names, rows, skipped, len(sample.rows), students, "")


def _row(raw: RawRow, row: ValidatedRow, header: Header, visible: bool) -> Row:  # noqa: FBT001
    header.locate(row.problems)
    cells = []
    for at, column in enumerate(header.reading.columns if header.reading else ()):
        if column.secret or (column.name in CONFIDENTIAL and not visible):
            cells.append(Cell("", HIDDEN))
        else:
            cells.append(_cell(at, column, raw, row, header))
    problems = [each if visible else each.without_confidential() for each in row.problems]
    texts = [f"{each.column}: {each.message}" if each.column else each.message for each in problems]
    return Row(raw.line, cells, texts)


def _cell(at: int, column: Column, raw: RawRow, row: ValidatedRow, header: Header) -> Cell:
    if header.reading is None:
        return Cell("", "")
    before = printable_excerpt(header.reading.original(at, raw.cells))
    value = row.values.get(column.name)
    after = header.reading.text(at, raw.cells) if value is None else column.format(value)
    after = printable_excerpt(after.strip())
    return Cell(before if before != after else "", after)
