"""The schools of a district: read and validate a school file, find, rename, sort."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from django.db import transaction

from rollbook.districts.models import District, School
from rollbook.studentfile import small_csv
from rollbook.studentfile.columns import BY_NAME
from rollbook.studentfile.problems.problem import PROBLEM_CODES, printable_excerpt
from rollbook.studentfile.values.text_checks import InvalidValue, ValueWithWarning
from rollbook.text import format_number
from rollbook.validation import ValidationFailed

MAX_NAME_LENGTH = 200
COLUMNS = ("SCHOOL_ID", "NAME")


class InvalidSchool(ValidationFailed):
    """A school can't be added, renamed or closed as requested."""


@dataclass
class SchoolFile:
    """The contents of a school file.

    Attributes:
        names: School ID to name, of the valid rows.
        lines: School ID to the line of its first row.
        problems: Line and text of each problem, in the order of the lines.
    """

    names: dict[str, str] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)
    problems: list[tuple[int, str]] = field(default_factory=list)


def read(data: bytes) -> SchoolFile:
    """Read and validate a school file.

    Raises:
        CsvRejected: The file isn't CSV, or its header is wrong.
    """
    table = small_csv.read(data, COLUMNS)
    file = SchoolFile(problems=table.problems)
    for line, cells in table.rows:
        _add_row(file, line, cells["SCHOOL_ID"], cells["NAME"])
    file.problems.sort()
    return file


def by_name(school: School) -> tuple[str, str]:
    """Return the sort key of a school: its name in any case, then its School ID."""
    return school.name.casefold(), school.organization_id


def find(district: District, key: int) -> School | None:
    """Return the district's school with this primary key, or None."""
    return School.objects.filter(district=district, pk=key).first()


def rename(school: School, name: str) -> School:
    """Rename a school.

    Raises:
        InvalidSchool: The name can't be used.
    """
    reasons = list(_name_problems(name.strip()))
    if reasons:
        raise InvalidSchool(reasons)
    school.name = single_spaced(name)
    with transaction.atomic():
        school.save(update_fields=["name"])
    return school


def validate_new_school(organization_id: str, name: str) -> None:
    """Check the School ID and the name of a new school, both without spaces at their ends.

    Raises:
        InvalidSchool: One of them can't be used; it has a reason for each problem.
    """
    reasons = [*_id_problems(organization_id, {}), *_name_problems(name)]
    if reasons:
        raise InvalidSchool(reasons)


def single_spaced(name: str) -> str:
    """Return the name with single spaces between its words and none at its ends."""
    return " ".join(name.split())


def _add_row(file: SchoolFile, line: int, organization_id: str, name: str) -> None:
    problems = [*_id_problems(organization_id, file.lines), *_name_problems(name)]
    file.problems += [(line, problem) for problem in problems]
    file.lines.setdefault(organization_id, line)
    if not problems:
        file.names[organization_id] = single_spaced(name)


def _id_problems(organization_id: str, lines: Mapping[str, int]) -> Iterator[str]:
    """Yield the problems of a School ID, with the lines of those above it in the file."""
    if not organization_id:
        yield "SCHOOL_ID is missing; enter the school's ID"
        return
    excerpt = printable_excerpt(organization_id)
    result = BY_NAME["SCHOOL_ID"].rule(organization_id)
    if isinstance(result, InvalidValue):
        code = PROBLEM_CODES[result.code]
        yield f"SCHOOL_ID '{excerpt}': {code.title}; {result.hint or code.fix}"
    else:
        value = result.value if isinstance(result, ValueWithWarning) else result
        if value != organization_id:
            yield f"SCHOOL_ID '{excerpt}' must be written as {value}; correct it"
    if organization_id in lines:
        line = format_number(lines[organization_id])
        yield f"SCHOOL_ID {excerpt} is already in line {line}; keep one of them"


def _name_problems(name: str) -> Iterator[str]:
    if not name:
        yield "NAME is missing; enter the school's name"
    elif len(name) > MAX_NAME_LENGTH or not name.isprintable():
        yield f"NAME is longer than {MAX_NAME_LENGTH} characters or not on one line; shorten it"
