"""Link students with groups and staff members, in bulk and inside the caller's transaction.

Only ``writer`` calls this: a link is part of a student, so adding and removing it is recorded in
the history.
"""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable

from django.db import connection
from django.db.models import Model

from rollbook.db import bulk
from rollbook.db.json_keys import IN_JSON_INTEGERS, as_json_parameter
from rollbook.studentfile.values.free_text import split_list
from rollbook.students.models import Student
from rollbook.students.sql import named_query

Membership = tuple[int, int, str]
"""A student's ID, the ID of the school in the database, and the student's groups as one cell."""

Link = tuple[int, int]
"""A student's ID, and that of a group or of a staff member."""

_FIND_GROUPS, _INSERT_GROUPS = named_query("find_groups"), named_query("insert_groups")


def add_to_groups(memberships: Iterable[Membership]) -> None:
    """Add new students to groups, and create the groups that are missing."""
    _insert(Student.groups.through, "group_id", _group_links(memberships))


def add_staff(links: Iterable[Link]) -> None:
    """Link new students with staff members."""
    _insert(Student.staff.through, "member_id", links)


def replace_groups(memberships: Collection[Membership]) -> None:
    """Make these the only groups of the students, and create the groups that are missing."""
    students = [pk for pk, _, _ in memberships]
    _replace(Student.groups.through, "group_id", students, _group_links(memberships))


def replace_staff(students: Collection[int], links: Iterable[Link]) -> None:
    """Make these the only links of the students with staff members."""
    _replace(Student.staff.through, "member_id", students, {*links})


def _group_links(memberships: Iterable[Membership]) -> set[Link]:
    named = [(pk, school, name) for pk, school, cell in memberships for name in split_list(cell)]
    # The first spelling of a name is the one that a new group gets.
    names = {(school, name.casefold()): name for _, school, name in reversed(named)}
    groups = _get_or_create(names)
    return {(pk, groups[school, name.casefold()]) for pk, school, name in named}


def _get_or_create(names: dict[tuple[int, str], str]) -> dict[tuple[int, str], int]:
    """Return the IDs of groups by school and case-folded name, from their names by the same."""
    groups = _find(names)
    missing = sorted(names.keys() - groups.keys())
    if not missing:
        return groups
    with connection.cursor() as cursor:
        cursor.executemany(_INSERT_GROUPS, [(key[0], names[key], key[1]) for key in missing])
    return _find(names)


def _find(keys: Iterable[tuple[int, str]]) -> dict[tuple[int, str], int]:
    names_by_school: defaultdict[int, list[str]] = defaultdict(list)
    for school, key in keys:
        names_by_school[school].append(key)
    with connection.cursor() as cursor:
        cursor.execute(_FIND_GROUPS, [json.dumps(names_by_school)])
        return {(school, key): pk for school, key, pk in cursor.fetchall()}


def _replace(
    through: type[Model], column: str, students: Collection[int], links: set[Link]
) -> None:
    """Remove the links that are no longer wanted, and add those that are missing.

    A link that stays isn't touched: each one costs four indexes, and a trigger.
    """
    if not students:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT student_id, {column}, id FROM {through._meta.db_table}"
            f" WHERE student_id {IN_JSON_INTEGERS}",
            [as_json_parameter(students)],
        )
        stored = {(student, linked): pk for student, linked, pk in cursor.fetchall()}
    bulk.delete(through, "id", [stored[link] for link in stored.keys() - links])
    _insert(through, column, links - stored.keys())


def _insert(through: type[Model], column: str, links: Iterable[Link]) -> None:
    bulk.insert_integers(through._meta.db_table, ("student_id", column), sorted(links))
