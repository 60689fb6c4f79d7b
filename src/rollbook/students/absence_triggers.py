"""Triggers that remove a student's absence when the student's status changes.

A change in another way than by a file in full sync decides: a student who was made active again
starts anew, and one who was made inactive isn't made active by a file.
``absences.deactivate`` writes the absence again, after it has changed the status.
"""

from rollbook.db.triggers import Trigger

_REMOVE = "DELETE FROM students_absence WHERE student_id = NEW.id"

ABSENCE_TRIGGERS = (
    Trigger(
        "absence_ended",
        "AFTER UPDATE OF status ON students_student",
        condition="NEW.status <> OLD.status",
        sqlite=_REMOVE,
        postgresql=f"{_REMOVE}; RETURN NULL;",
    ),
)
