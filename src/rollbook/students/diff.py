"""Compare a validated row with the student as stored."""

from collections.abc import Mapping

from rollbook.students.models import DEFAULT_GROUP
from rollbook.students.passwords import ImportedPasswords
from rollbook.students.snapshots import StudentSnapshot

LISTS = frozenset({"GROUPS", "STAFF", "CLASSIFICATIONS"})
"""Columns whose cells contain several values; case makes no difference."""
FOLLOW_SCHOOL = frozenset({"GROUPS", "STAFF"})
"""A change of school ends these links, which is no change of its own."""


def diff(
    student: StudentSnapshot,
    values: Mapping[str, str],
    passwords: ImportedPasswords | None = None,
) -> dict[str, str]:
    """Return the columns in which a row differs from the student, with the row's values.

    A new SCHOOL_ID ends the links with the old school: if the row doesn't contain GROUPS, they
    become the Default group, and if it doesn't contain STAFF, it becomes empty.

    Args:
        student: The student as stored.
        values: Column to value of a validated row.
        passwords: Recognizes the student's password; None: each PASSWORD counts as changed.
    """
    if values.get("GROUPS") == "":
        values = {**values, "GROUPS": DEFAULT_GROUP}
    stored = student.values
    changed = {column: value for column, value in values.items() if value != stored.get(column, "")}
    for column in LISTS & changed.keys():
        if is_same_list(changed[column], stored.get(column, "")):
            del changed[column]
    if "SCHOOL_ID" in changed:
        # A group of the new school is a different group even if it has the same name, and staff
        # in the row must be linked again.
        changed["GROUPS"] = values.get("GROUPS", DEFAULT_GROUP)
        changed["STAFF"] = values.get("STAFF", "")
    password = changed.pop("PASSWORD", None)
    if password is not None and not (
        passwords and passwords.is_unchanged(student.password, password)
    ):
        changed["PASSWORD"] = password
    return changed


def is_same_list(new: str, old: str) -> bool:
    """Return whether two cells contain the same names, in any case.

    If a file has no such column, the links are not loaded, and a transfer doesn't need them.
    """
    return new.casefold() == old.casefold()
