"""``rollbook school``: a district's schools, out of a small CSV file that is right as a whole or not loaded."""

from argparse import Namespace
from pathlib import Path

from django.db import transaction

from rollbook.cli.audit_log import record
from rollbook.cli.errors import FAILED, OK, CommandError
from rollbook.cli.lookup import get_district
from rollbook.format.small_table import TableRefused
from rollbook.roster import schools
from rollbook.roster.schools import SchoolFile


def load(arguments: Namespace) -> int:
    """Add and rename schools."""
    district = get_district(arguments.district)
    file = _read(arguments.file)
    if file.problems:
        for line, what in file.problems:
            print(f"{arguments.file}, line {line:,}: {what}")
        count = len(file.problems)
        print(f"\nNothing was loaded: {count:,} {'problem' if count == 1 else 'problems'}.")
        return FAILED
    with transaction.atomic():
        loaded = schools.load(district, file.names)
        record("school load", district, str(loaded))
    print(f"{district.name}: {loaded}; {loaded.total:,} schools in all.")
    return OK


def _read(path: Path) -> SchoolFile:
    try:
        file = schools.read(path.read_bytes())
    except TableRefused as refused:
        raise CommandError(refused.code, f"{path}, {refused}") from None
    if not file.names and not file.problems:
        raise CommandError(
            "no_schools", f"{path} has no school below its header; add a line for each"
        )
    return file
