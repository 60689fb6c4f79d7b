"""Students who have changed since the manifest of their district was made.

Triggers mark them (``touched_triggers.py``), so that a record is never known whose student may be
another than the record says: not after edits by hand, transfers or undo, nor after an update that
was canceled or failed.

An update *settles* a student when its own row is what the student is: it has applied the row, or
compared the row with the student as touched. A later change takes that back. A settled student
counts as touched until the update completes and its manifest is the current one. So completing an
update needn't remove anything here.
"""

import sys
from collections.abc import Collection, Iterable
from typing import NamedTuple

from django.db import connection

from rollbook.db import bulk
from rollbook.db.json_keys import IN_JSON_INTEGERS, as_json_parameter
from rollbook.students import snapshots
from rollbook.students.models import TouchedStudent
from rollbook.students.sql import named_query

REMOVED_AT_ONCE = 10_000

_FIND_TOUCHED = named_query("find_touched", in_ids=IN_JSON_INTEGERS)
_SETTLE = named_query("settle_students", in_ids=IN_JSON_INTEGERS)
_SETTLE_COMPARED = named_query("settle_compared")
_TOUCH = named_query("touch_students", in_ids=IN_JSON_INTEGERS)
_LIST_TOUCHED = named_query("list_touched")
_REMOVE_SETTLED = named_query("remove_settled")


class ComparedStudent(NamedTuple):
    """A student whom a row doesn't change, and the version that it was compared with."""

    student: int
    version: int


def find(district_id: int, update_id: int, limit: int = sys.maxsize) -> set[int]:
    """Return touched students, without those whom this update has settled, up to a limit."""
    with connection.cursor() as cursor:
        cursor.execute(_LIST_TOUCHED, [district_id, update_id, limit])
        return {student for (student,) in cursor.fetchall()}


def touch(students: Collection[int]) -> None:
    """Mark students as touched, in the caller's transaction."""
    if students:
        snapshots.lock_versions(students)
        with connection.cursor() as cursor:
            cursor.execute(_TOUCH, [as_json_parameter(students)])


def settle(update_id: int, students: Collection[int]) -> None:
    """Settle students to whom rows of an update were applied, in the same transaction."""
    if students:
        with connection.cursor() as cursor:
            cursor.execute(_SETTLE, [update_id, as_json_parameter(students)])


def settle_compared(update_id: int, compared: Iterable[ComparedStudent]) -> None:
    """Settle touched students whom rows of an update don't change.

    Those who have changed since they were compared stay touched.
    """
    versions = dict(compared)
    if not versions:
        return
    with connection.cursor() as cursor:
        cursor.execute(_FIND_TOUCHED, [as_json_parameter(versions)])
        touched = {student for (student,) in cursor.fetchall()}
        if touched:
            snapshots.lock_versions(touched)
            pairs = [[student, versions[student]] for student in sorted(touched)]
            cursor.execute(_SETTLE_COMPARED, [update_id, as_json_parameter(pairs)])


def remove_settled(district_id: int, update_id: int) -> bool:
    """Remove students whom an update has settled whose manifest is the current one.

    Returns:
        Whether there may be more of them.
    """
    with connection.cursor() as cursor:
        cursor.execute(_REMOVE_SETTLED, [district_id, update_id, REMOVED_AT_ONCE])
        removed: int = cursor.rowcount
    return removed == REMOVED_AT_ONCE


def remove(students: Collection[int]) -> None:
    """Remove the marks of students who have been deleted."""
    bulk.delete(TouchedStudent, "student_id", students)
