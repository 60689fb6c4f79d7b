"""Write the sheet of a workbook as CSV: each row of the sheet is one line."""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from zipfile import ZipFile

from python_calamine import CalamineWorkbook

from rollbook.studentfile.limits import Limits
from rollbook.studentfile.problems.problem import Problem, printable_excerpt
from rollbook.studentfile.reading.conversion import ods_facts, xlsx_facts
from rollbook.studentfile.reading.conversion.archives import WorkbookKind, check_archive
from rollbook.studentfile.reading.conversion.number_formats import NumberFormat, plain_number
from rollbook.studentfile.reading.conversion.sheet_facts import SheetFacts, WorkbookRefused
from rollbook.studentfile.reading.source import Source

LINE_BREAK = "\v"
"""What a line break inside a cell is in CSV, so that each row of the sheet is one line."""

Value = str | float | int | bool | date | datetime | time | timedelta

_LINE_BREAKS = re.compile(r"\r\n|\r|\n")
_LINES_PER_CHUNK = 1000
_MAX_SHEETS_NAMED = 3


def choose_sheet(source: Source, limits: Limits) -> tuple[SheetFacts | None, list[Problem]]:
    """Return the first visible sheet with values, and what to warn about; None if all are empty.

    If all sheets with values are hidden, the first of them is chosen.

    Raises:
        WorkbookRefused: The file is no workbook, or one that can't be read.
    """
    with source.open("rb") as file, ZipFile(file) as archive:
        kind, parts = check_archive(archive)
        if kind is WorkbookKind.XLSX:
            sheets = xlsx_facts.read_sheets(archive, parts)
        else:
            with archive.open(parts["content.xml"]) as content:
                sheets = ods_facts.read_sheets(content)
    if len({sheet.name for sheet in sheets}) < len(sheets):
        raise WorkbookRefused(Problem("workbook_damaged"))  # the reader finds sheets by name
    filled = [sheet for sheet in sheets if sheet.has_values]
    filled.sort(key=lambda sheet: sheet.index)
    visible = [sheet for sheet in filled if sheet.is_visible]
    chosen = next(iter(visible or filled), None)
    if chosen is None:
        return None, []
    chosen.check_limits(limits)
    return chosen, list(_warnings(chosen, filled))


def csv_chunks(source: Source, facts: SheetFacts) -> Iterator[bytes]:
    """Yield the sheet as CSV in UTF-8. Columns before the first value are left out."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    for number, row in enumerate(_rows(source, facts), start=1):
        if any(row):
            writer.writerow(row)
        else:
            buffer.write("\n")
        if number % _LINES_PER_CHUNK == 0:
            yield buffer.getvalue().encode()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue().encode()


def _warnings(chosen: SheetFacts, filled: Sequence[SheetFacts]) -> Iterator[Problem]:
    others = [f'"{printable_excerpt(sheet.name)}"' for sheet in filled if sheet is not chosen]
    if others:
        names = ", ".join(others[:_MAX_SHEETS_NAMED])
        if len(others) > _MAX_SHEETS_NAMED:
            names += f" and {len(others) - _MAX_SHEETS_NAMED} more"
        hint = f"if the students are in {names}, move that sheet to the front"
        yield Problem("other_sheets", found=printable_excerpt(chosen.name), hint=hint)
    if chosen.not_calculated:
        yield Problem("formula_not_calculated", chosen.not_calculated)
    if chosen.has_hidden_cells:
        yield Problem("hidden_cells")
    if chosen.merged_line:
        yield Problem("merged_cells", chosen.merged_line)


def _rows(source: Source, facts: SheetFacts) -> Iterator[list[str]]:
    """Yield the texts of all rows up to the last value."""
    # From a path, the end of the file's name would decide about the format.
    with source.open("rb") as file, CalamineWorkbook.from_filelike(file) as workbook:
        sheet = workbook.get_sheet_by_name(facts.name)
        offset = sheet.start[1] if sheet.start else 0
        before = [""] * offset
        number = 0
        for number, values in enumerate(sheet.iter_rows(), start=1):
            if number > facts.rows:
                return
            yield _texts([*before, *values], number - 1, facts)
    for missing in range(number, facts.rows):
        yield _texts([], missing, facts)


def _texts(values: list[Value], row: int, facts: SheetFacts) -> list[str]:
    """Return the cells of a row as texts."""
    values += [""] * (facts.columns - len(values))
    texts = [value if type(value) is str else _text(value) for value in values]
    for column, override in facts.overrides.take_row(row):
        if isinstance(override, NumberFormat):
            texts[column] = _formatted(override, values[column]) or texts[column]
        else:
            texts[column] = override
    if any("\n" in text or "\r" in text for text in texts):
        texts = [_LINE_BREAKS.sub(LINE_BREAK, text) for text in texts]
    return texts[facts.first_column : facts.columns]


def _formatted(number_format: NumberFormat, value: Value) -> str | None:
    return number_format.show(value) if isinstance(value, float) else None


def _text(value: Value) -> str:
    """Return a value as text: dates as yyyy-mm-dd, whole numbers without decimal places."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return plain_number(value)
    if isinstance(value, datetime) and value.time() == time():
        value = value.date()
    return value.isoformat() if isinstance(value, date | time) else str(value)
