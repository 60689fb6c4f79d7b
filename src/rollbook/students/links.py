"""Link students with groups and staff members, in bulk and inside the caller's transaction.

Only ``changing`` calls this: a link is part of a student, so its end and its beginning are recorded
in the history.
"""

from collections.abc import Collection, Iterable

from django.db import connection

from rollbook.db import bulk
from rollbook.db.json_keys import IN_JSON_INTEGERS, as_json_parameter
from rollbook.students.sql import named_query

GroupKey = tuple[int, str]
"""A school's ID in the database, and a group's name."""

_INSERT_GROUPS = named_query("insert_groups")


def add_to_groups(wanted: Iterable[tuple[int, int, str]]) -> None:
    """Add students to groups, and create the groups that are missing.

    Args:
        wanted: A student's ID, the school's ID, and the names of its groups as one cell.
    """
    named = [(pk, school, names.split("&")) for pk, school, names in wanted]
    if not named:
        return
    groups = _get_or_create({(school, name) for _, school, names in named for name in names})
    links = {(pk, groups[school, name.casefold()]) for pk, school, names in named for name in names}
    bulk.insert("students_student_groups", ("student_id", "group_id"), sorted(links))


def add_staff(links: Iterable[tuple[int, int]]) -> None:
    """Link students with staff members; each pair is a student's ID and a member's."""
    bulk.insert("students_student_staff", ("student_id", "member_id"), sorted(links))


def remove_groups(pks: Collection[int]) -> None:
    """Remove these students from all their groups."""
    _remove("students_student_groups", pks)


def remove_staff(pks: Collection[int]) -> None:
    """Remove all links of these students with staff members."""
    _remove("students_student_staff", pks)


def _get_or_create(wanted: set[GroupKey]) -> dict[GroupKey, int]:
    """Return the IDs of groups by school and case-folded name."""
    schools = {school for school, _ in wanted}
    found = _groups_of(schools)
    named = ((school, name, name.casefold()) for school, name in wanted)
    missing = [group for group in named if (group[0], group[2]) not in found]
    if not missing:
        return found
    with connection.cursor() as cursor:
        cursor.executemany(_INSERT_GROUPS, sorted(missing))
    return _groups_of(schools)


def _groups_of(schools: set[int]) -> dict[GroupKey, int]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT school_id, name_key, id FROM students_group WHERE school_id {IN_JSON_INTEGERS}",
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
