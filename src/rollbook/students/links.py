"""Link students with groups and staff members, in bulk and inside the caller's transaction.

Only ``writer`` calls this: a link is part of a student, so adding and removing it is recorded in
the history.
"""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence

from django.db import connection
from django.db.models import Model

from rollbook.db import bulk
from rollbook.db.json_keys import IN_JSON_INTEGERS, as_json_parameter
from rollbook.studentfile.values.free_text import split_list
from rollbook.students.models import Student
from rollbook.students.sql import named_query

Link = tuple[int, int]
"""A student's ID, and that of a group or of a staff member."""

Kind = tuple[type[Model], str]
"""The model of links, and the column of what students are linked with."""

GROUPS: Kind = (Student.groups.through, "group_id")
STAFF: Kind = (Student.staff.through, "member_id")

_FIND_GROUPS, _INSERT_GROUPS = named_query("find_groups"), named_query("insert_groups")


def add(kind: Kind, links: Iterable[Link]) -> None:
    """Add links that aren't there; ``kind`` is ``GROUPS`` or ``STAFF``."""
    model, column = kind
    bulk.insert_integers(model._meta.db_table, ("student_id", column), sorted(links))


def replace(kind: Kind, students: Collection[int], links: set[Link]) -> None:
    """Make these the only links of students: change, remove and add those that differ.

    A link that is removed has a trigger, and each that is removed or added costs four indexes. So
    one that isn't wanted gets another group or staff member of the same student, if one is missing.
    The caller has locked the students, so nothing else removes a link meanwhile.
    """
    if not students:
        return
    model, column = kind
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT student_id, {column}, id FROM {model._meta.db_table}"
            f" WHERE student_id {IN_JSON_INTEGERS}",
            [as_json_parameter(students)],
        )
        stored = {(student, linked): pk for student, linked, pk in cursor.fetchall()}
    missing: defaultdict[int, list[int]] = defaultdict(list)
    for student, linked in sorted(links - stored.keys(), reverse=True):
        missing[student].append(linked)
    changed, removed = [], []
    for student, linked in sorted(stored.keys() - links):
        pk = stored[student, linked]
        if missing[student]:
            changed.append((missing[student].pop(), pk))
        else:
            removed.append(pk)
    bulk.update(model, (column,), changed)
    bulk.delete(model, "id", removed)
    add(kind, ((student, linked) for student, added in missing.items() for linked in added))


def group_links(memberships: Sequence[tuple[int, int, str]]) -> set[Link]:
    """Return links of students with groups, and create the groups that are missing.

    Args:
        memberships: A student's ID, the ID of the school in the database, and the names of the
            student's groups as one cell.
    """
    named = [(pk, school, name) for pk, school, cell in memberships for name in split_list(cell)]
    # The first spelling of a name is the one that a new group gets.
    names = {(school, name.casefold()): name for _, school, name in reversed(named)}
    groups = _find_groups(names)
    if missing := sorted(names.keys() - groups.keys()):
        with connection.cursor() as cursor:
            cursor.executemany(_INSERT_GROUPS, [(key[0], names[key], key[1]) for key in missing])
        groups = _find_groups(names)
    return {(pk, groups[school, name.casefold()]) for pk, school, name in named}


def _find_groups(keys: Iterable[tuple[int, str]]) -> dict[tuple[int, str], int]:
    """Return the IDs of groups by school and case-folded name."""
    names_by_school: defaultdict[int, list[str]] = defaultdict(list)
    for school, key in keys:
        names_by_school[school].append(key)
    with connection.cursor() as cursor:
        cursor.execute(_FIND_GROUPS, [json.dumps(names_by_school)])
        return {(school, key): pk for school, key, pk in cursor.fetchall()}
