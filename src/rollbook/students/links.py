"""Link students with groups and staff members, in bulk and inside the caller's transaction.

Only ``writer`` calls this: a link is part of a student, so adding and removing it is recorded in
the history.
"""

from collections.abc import Collection, Iterable

from django.db import connection

from rollbook.db import bulk
from rollbook.db.json_keys import IN_JSON_INTEGERS, as_json_parameter
from rollbook.studentfile.values.free_text import split_list
from rollbook.students.sql import named_query

GroupKey = tuple[int, str]
"""A school's ID in the database, and a group's name."""

_INSERT_GROUPS = named_query("insert_groups")


def add_to_groups(memberships: Iterable[tuple[int, int, str]]) -> None:
    """Add students to groups, and create the groups that are missing.

    Args:
        memberships: A student's ID, the ID of the school in the database, and the names of the
            student's groups as one cell.
    """
    named = [(pk, school, name) for pk, school, cell in memberships for name in split_list(cell)]
    if not named:
        return
    groups = _get_or_create({(school, name) for _, school, name in named})
    links = {(pk, groups[school, name.casefold()]) for pk, school, name in named}
    bulk.insert_integers("students_student_groups", ("student_id", "group_id"), sorted(links))


def add_staff(links: Iterable[tuple[int, int]]) -> None:
    """Link students with staff members; each pair is a student's ID and a member's."""
    bulk.insert_integers("students_student_staff", ("student_id", "member_id"), sorted(links))


def remove_groups(pks: Collection[int]) -> None:
    """Remove these students from all their groups."""
    _remove("students_student_groups", pks)


def remove_staff(pks: Collection[int]) -> None:
    """Remove all links of these students with staff members."""
    _remove("students_student_staff", pks)


def _get_or_create(groups: set[GroupKey]) -> dict[GroupKey, int]:
    """Return the IDs of groups by school and case-folded name."""
    schools = {school for school, _ in groups}
    existing = _groups_of(schools)
    rows = ((school, name, name.casefold()) for school, name in groups)
    missing = [row for row in rows if (row[0], row[2]) not in existing]
    if not missing:
        return existing
    with connection.cursor() as cursor:
        cursor.executemany(_INSERT_GROUPS, sorted(missing))
    return _groups_of(schools)


def _groups_of(schools: set[int]) -> dict[GroupKey, int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT school_id, name_key, id FROM students_group"
            f" WHERE school_id {IN_JSON_INTEGERS}",
            [as_json_parameter(schools)],
        )
        return {(school, key): pk for school, key, pk in cursor.fetchall()}


def _remove(table: str, pks: Collection[int]) -> None:
    if not pks:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            f"DELETE FROM {table} WHERE student_id {IN_JSON_INTEGERS}", [as_json_parameter(pks)]
        )
