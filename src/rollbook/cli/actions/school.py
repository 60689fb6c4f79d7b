"""Runs ``rollbook school``: lists a district's schools, and loads them from a CSV file."""

from argparse import Namespace
from dataclasses import asdict
from pathlib import Path

from django.db import transaction

from rollbook.cli.audit_log import record
from rollbook.cli.errors import FAILED, OK, CommandError
from rollbook.cli.lookup import find_district, get_district
from rollbook.cli.output import table, to_json
from rollbook.cli.printed_text import add_facts
from rollbook.districts import schools
from rollbook.districts.models import School
from rollbook.districts.schools import SchoolFile
from rollbook.studentfile.small_csv import CsvRejected
from rollbook.students.manual.schools import list_schools as schools_with_counts
from rollbook.students.manual.schools import load_schools
from rollbook.text import count_of, format_number

_STATUSES = ("active", "inactive")
_HEADERS = ("SCHOOL_ID", "name", *_STATUSES)


def list_schools(arguments: Namespace) -> int:
    """Print the schools of a district with the numbers of their students."""
    district = find_district(arguments.district)
    found = schools_with_counts(district)
    if arguments.json:
        print(to_json([_to_json(school) for school in found]))
    elif found:
        print("\n".join(table(_HEADERS, [_row(school) for school in found])))
    else:
        print(
            f"{district.name} has no schools yet; add them with "
            f"`rollbook school load {district.slug} FILE`."
        )
    return OK


def _row(school: School) -> tuple[str, ...]:
    counts = (format_number(getattr(school, status)) for status in _STATUSES)
    return school.organization_id, school.name, *counts


def _to_json(school: School) -> dict[str, object]:
    counts = {f"students_{status}": getattr(school, status) for status in _STATUSES}
    return {"school_id": school.organization_id, "name": school.name, **counts}


def load(arguments: Namespace) -> int:
    """Add and rename schools, all of them or none."""
    district = get_district(arguments.district)
    file = read_schools(arguments.file)
    if file.problems:
        for line, text in file.problems:
            print(f"{arguments.file}, line {line:,}: {text}")
        print(f"\nNothing was loaded: {count_of(len(file.problems), 'problem')}.")
        return FAILED
    with transaction.atomic():
        result = load_schools(district, file.names)
        record("school load", district, str(result))
    add_facts(arguments, **asdict(result))
    print(f"{district.name}: {result}; {count_of(result.total, 'school')} in total.")
    return OK


def read_schools(path: Path) -> SchoolFile:
    """Return what a schools file contains.

    Raises:
        CommandError: It isn't CSV, its header is wrong, or it has no schools.
    """
    try:
        file = schools.read(path.read_bytes())
    except CsvRejected as error:
        raise CommandError(error.code, f"{path}, {error}") from None
    if not file.names and not file.problems:
        raise CommandError(
            "no_schools", f"{path} has no schools below its header; add a line for each school"
        )
    return file
