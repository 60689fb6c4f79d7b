"""A student file to begin with: the chosen columns, without rows or with the students as they are now."""

from collections.abc import Collection, Iterable, Iterator, Sequence

from rollbook.districts.models import District
from rollbook.studentfile import writer
from rollbook.studentfile.columns import COLUMNS, Column
from rollbook.studentfile.reading.header import IDENTIFYING_COLUMN_SETS
from rollbook.students import snapshots
from rollbook.updates.exports.original_rows import BYTE_ORDER_MARK

PRESELECTED = (
    "STUDENT_ID",
    "FIRST_NAME",
    "LAST_NAME",
    "DOB",
    "SCHOOL_ID",
    "GRADE",
    "GROUPS",
    "STATUS",
)


def columns(names: Collection[str]) -> tuple[Column, ...]:
    """The columns of these names in the documented order; STUDENT_ID besides, if no others tell whom a row means."""
    identifies = any(keys <= set(names) for keys in IDENTIFYING_COLUMN_SETS)
    return tuple(
        column
        for column in COLUMNS
        if column.name in names or (column is COLUMNS[0] and not identifies)
    )


def lines(district: District, chosen: Sequence[Column], with_students: bool) -> Iterator[str]:
    """The file, line by line. Its byte order mark makes spreadsheets read it as the UTF-8 it is."""
    rows = _rows(district, chosen) if with_students else ()
    yield BYTE_ORDER_MARK
    yield from writer.lines([column.name for column in chosen], rows)


def _rows(district: District, chosen: Sequence[Column]) -> Iterable[list[str]]:
    for page in snapshots.iter_district(district.pk):
        for one in page:
            yield [_cell(column, one.values) for column in chosen]


def _cell(column: Column, values: dict[str, str]) -> str:
    value = values.get(column.name, "")
    return column.format(value) if value else ""
