"""Write a student file as a template: the chosen columns, with or without the current students."""

from collections.abc import Collection, Iterable, Iterator, Sequence

from rollbook.districts.file_rules import file_rules
from rollbook.districts.models import District
from rollbook.studentfile import writer
from rollbook.studentfile.columns import COLUMNS, Column
from rollbook.studentfile.identifying_columns import IDENTIFYING_COLUMN_SETS
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

SAMPLE_COLUMNS = ("STUDENT_ID", "FIRST_NAME", "LAST_NAME", "DOB", "GRADE", "SCHOOL_ID")
SAMPLE_STUDENTS = (
    ("SAMPLE-1", "Ada", "Sample", "3/14/2015", "5"),
    ("SAMPLE-2", "Bo", "Sample", "7/4/2014", "6"),
    ("SAMPLE-3", "Cleo", "Sample", "11/30/2013", "7"),
    ("SAMPLE-4", "Dev", "Sample", "2/30/2015", "5"),
    ("SAMPLE-5", "Eli", "Sample", "9/9/2014", "6"),
)
"""Made-up students; the fourth has a birth date that doesn't exist."""


def columns(names: Collection[str]) -> tuple[Column, ...]:
    """Return the columns with these names in the documented order.

    STUDENT_ID is added if the chosen columns don't identify a student.
    """
    chosen = set(names)
    if not any(keys <= chosen for keys in IDENTIFYING_COLUMN_SETS):
        chosen.add(COLUMNS[0].name)
    return tuple(column for column in COLUMNS if column.name in chosen)


def lines(district: District, chosen: Sequence[Column], students: Sequence[int]) -> Iterator[str]:
    """Yield the lines of the file, with a byte order mark so that spreadsheets read UTF-8.

    Args:
        district: The district.
        chosen: The columns.
        students: The primary keys of its students to include, in their order.
    """
    rows = _rows(district, chosen, students)
    yield BYTE_ORDER_MARK
    yield from writer.lines([column.name for column in chosen], rows)


def sample_lines(school: str) -> Iterator[str]:
    """Yield the lines of a file with made-up students at this school, one with a mistake."""
    yield from writer.lines(SAMPLE_COLUMNS, [[*student, school] for student in SAMPLE_STUDENTS])


def _rows(
    district: District, chosen: Sequence[Column], students: Sequence[int]
) -> Iterable[list[str]]:
    names = [column.name for column in chosen]
    order = file_rules(district).date_order
    for page in snapshots.iter_students(students):
        for student in page:
            values = student.values
            yield [writer.format_value(name, values.get(name, ""), order) for name in names]
