"""Problems of students in an update that undoes another one."""

from rollbook.studentfile.problems.codes import ProblemCode, row_error, warning

_ONLY = "Only in an update that undoes another one."

UNDO_PROBLEMS: tuple[ProblemCode, ...] = (
    row_error(
        "undo_changed",
        "The student has changed since, and stays as is",
        f"{_ONLY} A value is set back only if nothing else has changed it since, and a student who "
        "was added is deactivated only if nothing has changed the student since.",
        "see the student's history; if the present value is wrong, edit the student by hand",
    ),
    row_error(
        "undo_password",
        "The student's old password can't be restored",
        f"{_ONLY} Rollbook doesn't keep old passwords. The new one still works.",
        "set another password if necessary",
    ),
    row_error(
        "undo_gone",
        "The old school is no longer in Rollbook, or the old staff no longer work there",
        f"{_ONLY} The school was closed, or the staff member left it.",
        "edit the student by hand",
    ),
    warning(
        "undo_part_changed",
        "A value has changed since, and stays as it is",
        f"{_ONLY} The student's other values are set back.",
        "see the student's history; if the present value is wrong, edit the student by hand",
    ),
    warning(
        "undo_part_password",
        "The old password can't be restored",
        f"{_ONLY} Rollbook doesn't keep old passwords. The new one still works, and the student's "
        "other values are set back.",
        "set another password if necessary",
    ),
    warning(
        "undo_part_gone",
        "An old school is no longer in Rollbook, or old staff no longer work there",
        f"{_ONLY} The student's other values are set back.",
        "edit the student by hand",
    ),
)
