"""Triggers that clear a student's fingerprint when something changes besides the student's own row.

They also count up the student's version.

When a link is removed, or a group, member or school renamed, the row that last set a student no
longer has the same meaning.
"""

from rollbook.db.triggers import Trigger

# The student first: that row is the lock for the student.
_CLEAR = (
    "UPDATE students_student SET version = version + 1 WHERE id IN ({students});"
    " UPDATE students_rowfingerprint SET fingerprint = NULL WHERE student_id IN ({students})"
)
_EVENTS = {
    "clear_fingerprint_group_link_removed": (
        "DELETE ON students_student_groups",
        "SELECT OLD.student_id",
    ),
    "clear_fingerprint_staff_link_removed": (
        "DELETE ON students_student_staff",
        "SELECT OLD.student_id",
    ),
    "clear_fingerprint_group_renamed": (
        "UPDATE OF name, school_id ON students_group",
        "SELECT student_id FROM students_student_groups WHERE group_id = OLD.id",
    ),
    "clear_fingerprint_member_renamed": (
        "UPDATE OF email, district_id ON accounts_member",
        "SELECT student_id FROM students_student_staff WHERE member_id = OLD.id",
    ),
    "clear_fingerprint_school_renamed": (
        "UPDATE OF organization_id, district_id ON districts_school",
        "SELECT id FROM students_student WHERE school_id = OLD.id",
    ),
}


def _trigger(name: str, event: str, students: str) -> Trigger:
    clear = _CLEAR.format(students=students)
    return Trigger(name, f"AFTER {event}", sqlite=clear, postgresql=f"{clear}; RETURN NULL;")


FINGERPRINT_TRIGGERS = tuple(_trigger(name, *event) for name, event in _EVENTS.items())
