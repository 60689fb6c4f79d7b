"""Find the students that an update has added."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from rollbook.students import snapshots
from rollbook.students.models import Student
from rollbook.updates.exports.changes import added_key
from rollbook.updates.models import StagedRow, UpdateJob


class AddedRow(NamedTuple):
    """A staged row that added a student and isn't linked with it; see ``models.StagedRow``."""

    line: int
    claims_student_id: str | None
    claims_name_key: str | None
    claims_dob: object
    claims_loose_key: int | None

    @property
    def key(self) -> tuple[object, ...]:
        """What the row and its student have in common, with the date as text."""
        return added_key(self.claims_student_id, self.claims_name_key, str(self.claims_dob))


def find(update: UpdateJob, rows: Iterable[StagedRow]) -> dict[int, Student]:
    """Return the student that each row added, by line; see ``find_keys``."""
    added = [
        AddedRow(*(getattr(row, name) for name in AddedRow._fields))
        for row in rows
        if not row.student_id
    ]
    keys = find_keys(update, added)
    students = Student.objects.in_bulk(list(keys.values()))
    return {line: students[key] for line, key in keys.items() if key in students}


def find_keys(update: UpdateJob, rows: Sequence[AddedRow]) -> dict[int, int]:
    """Return the primary key of the student that each row added, by line.

    Students whose STUDENT_ID, or without one, whose name or date of birth has changed since are
    left out.
    """
    lines = {row.key: row.line for row in rows}
    student_ids = {row.claims_student_id for row in rows if row.claims_student_id}
    loose_keys = {row.claims_loose_key for row in rows if not row.claims_student_id} - {None}
    found: dict[int, int] = {}
    for column, keys in (("student_id", student_ids), ("loose_key", loose_keys)):
        for student in snapshots.load_added(update.district_id, column, keys):
            key = added_key(student.student_id, student.name_key, student.dob)
            if student.update_id == update.pk and key in lines:
                found[lines[key]] = student.pk
    return found
