"""Find the students that an update has added."""

from collections.abc import Iterable

from django.db.models import Q

from rollbook.students.models import Change, Student
from rollbook.students.writer import STUDENT_ADDED
from rollbook.updates.exports.changes import added_key
from rollbook.updates.models import StagedRow, UpdateJob


def find(update: UpdateJob, rows: Iterable[StagedRow]) -> dict[int, Student]:
    """Return the student that each row added, by line; see ``find_keys``."""
    keys = find_keys(update, rows)
    students = Student.objects.in_bulk(list(keys.values()))
    return {line: students[key] for line, key in keys.items() if key in students}


def find_keys(update: UpdateJob, rows: Iterable[StagedRow]) -> dict[int, int]:
    """Return the primary key of the student that each row added, by line.

    Students whose STUDENT_ID, or without one, whose name or date of birth has changed since are
    left out, and so are rows that are linked with their student.
    """
    rows = [row for row in rows if not row.student_id]
    lines = {
        added_key(row.claims_student_id, row.claims_name_key, row.claims_dob): row.line
        for row in rows
    }
    with_id = Q(student_id__in=[row.claims_student_id for row in rows if row.claims_student_id])
    without_id = Q(
        loose_key__in=[row.claims_loose_key for row in rows if not row.claims_student_id]
    )
    found: dict[tuple[object, ...], int] = {}
    for condition in (with_id, without_id):  # each has an index of its own
        students = Student.objects.filter(condition, district=update.district_id)
        names = students.values_list("pk", "student_id", "name_key", "dob")
        for student, student_id, name_key, dob in names:
            found[added_key(student_id, name_key, dob)] = student
    own = _added_by(update, list(found.values()))
    return {
        lines[key]: student for key, student in found.items() if key in lines and student in own
    }


def _added_by(update: UpdateJob, students: list[int]) -> set[int]:
    """Return which of these students the update has added.

    The query selects by student: an update may have added a million.
    """
    added = Change.objects.filter(student__in=students, field=STUDENT_ADDED)
    updates = added.values_list("student__pk", "update__pk")
    return {student for student, update_id in updates if update_id == update.pk}
