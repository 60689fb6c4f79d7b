"""Find the students that an update has added."""

from collections.abc import Iterable

from django.db.models import Q

from rollbook.students.models import Change, Student
from rollbook.students.writer import STUDENT_ADDED
from rollbook.updates.exports.changes import added_key
from rollbook.updates.models import StagedRow, UpdateJob


def find(update: UpdateJob, rows: Iterable[StagedRow]) -> dict[int, Student]:
    """Return the student that each row added, by line.

    Students whose STUDENT_ID, or without one, whose name or date of birth has changed since are
    left out, and so are rows that are linked with their student.
    """
    rows = [row for row in rows if not row.student_id]
    lines = {
        added_key(row.claims_student_id, row.claims_name_key, row.claims_dob): row.line
        for row in rows
    }
    added = Change.objects.filter(update=update, field=STUDENT_ADDED).values("student")
    students = Student.objects.filter(
        Q(student_id__in=[row.claims_student_id for row in rows if row.claims_student_id])
        | Q(loose_key__in=[row.claims_loose_key for row in rows if not row.claims_student_id]),
        district=update.district_id,
        pk__in=added,
    )
    by_key = {
        added_key(student.student_id, student.name_key, student.dob): student
        for student in students
    }
    return {lines[key]: student for key, student in by_key.items() if key in lines}
