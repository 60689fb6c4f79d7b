"""Runs ``rollbook school``: loads a district's schools from a CSV file, all of them or none."""

from argparse import Namespace
from pathlib import Path

from django.db import transaction

from rollbook.cli.audit_log import record
from rollbook.cli.errors import FAILED, OK, CommandError
from rollbook.cli.lookup import get_district
from rollbook.districts import schools
from rollbook.districts.schools import SchoolFile
from rollbook.studentfile.small_csv import CsvRejected
from rollbook.students.manual.schools import load_schools
from rollbook.text import count_of


def load(arguments: Namespace) -> int:
    """Add and rename schools."""
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
