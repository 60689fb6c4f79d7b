"""Keep rows from replacing a student's plausible date of birth by an implausible one."""

from datetime import date

from rollbook.studentfile.problems.problem import Problem
from rollbook.studentfile.row_validator import ValidatedRow
from rollbook.studentfile.values.birth_dates import code_for_age
from rollbook.students.snapshots import StudentSnapshot

_WARNING, _ERROR = "unusual_age", "implausible_dob"


def check_birth_date(row: ValidatedRow, student: StudentSnapshot, today: date) -> None:
    """Reject a row with an unusual age if the student's current age isn't unusual.

    Args:
        row: A validated row.
        student: The student that it matches.
        today: The district's date.
    """
    if not row.problems:
        return
    warning = next((problem for problem in row.problems if problem.code == _WARNING), None)
    if warning and code_for_age(student.values["DOB"], today) is None:
        row.problems.remove(warning)
        row.problems.append(Problem(_ERROR, row.line, "DOB", warning.found))
        row.values.pop("DOB", None)
