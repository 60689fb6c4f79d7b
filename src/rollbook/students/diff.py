"""What a row would change: a student as it is, and a clean row, to the fields that differ."""

from collections.abc import Mapping

from rollbook.students.models import DEFAULT_GROUP
from rollbook.students.passwords import matches_import_mark
from rollbook.students.snapshots import StudentSnapshot

_LISTS = {"GROUPS", "STAFF", "CLASSIFICATIONS"}


def diff(record: StudentSnapshot, values: Mapping[str, str]) -> dict[str, str]:
    """The columns in which the row differs from the student, with the row's values.

    A new SCHOOL_ID takes the links to the old school along: the groups become the row's, else the Default group, and
    the staff becomes the row's, else nobody.
    """
    new = {column: value for column, value in values.items() if column != "PASSWORD"}
    if new.get("GROUPS") == "":
        new["GROUPS"] = DEFAULT_GROUP
    moved = new.get("SCHOOL_ID", record.values["SCHOOL_ID"]) != record.values["SCHOOL_ID"]
    if moved:
        new = {"GROUPS": DEFAULT_GROUP, "STAFF": "", **new}
    known = record.values
    differing = {
        column: value
        for column, value in new.items()
        if value != known.get(column, "")
        and not (column in _LISTS and _is_same_list(value, known.get(column, "")))
    }
    if moved:
        # A group of the new school is another group, though its name be the same; and staff that the row names stays
        # only if the row is remembered to name it.
        differing |= {"GROUPS": new["GROUPS"], "STAFF": new["STAFF"]}
    password = values.get("PASSWORD")
    if password is not None and not matches_import_mark(record.password, password):
        differing["PASSWORD"] = password
    return differing


def _is_same_list(value: str, known: str) -> bool:
    """Links are fetched only for a file that names some; without them a move tells enough."""
    return value.casefold() == known.casefold()
