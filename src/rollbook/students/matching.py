"""Find the student of a row: by STUDENT_ID, then name and date of birth, then username."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rollbook.studentfile.problems.problem import Problem
from rollbook.students import snapshots
from rollbook.students.name_keys import name_and_dob
from rollbook.students.snapshots import StudentSnapshot

Values = Mapping[str, str]

_MAX_PADDED_LENGTH = 12  # digits of a STUDENT_ID to which leading zeros are added


@dataclass(frozen=True, slots=True)
class Match:
    """The student of a row, if there is one, and a problem with it, if there is one."""

    student: StudentSnapshot | None
    problem: Problem | None = None


class StudentMatcher:
    """Matches the rows of a batch; loads all candidates with one query for each way to match."""

    def __init__(self, district_id: int, batch: Sequence[Values]) -> None:
        student_ids = _values_of(batch, "STUDENT_ID")
        self._by_student_id = snapshots.load_by_column(district_id, "STUDENT_ID", student_ids)
        rest = [
            values for values in batch if values.get("STUDENT_ID", "") not in self._by_student_id
        ]
        names = {name_and_dob(values) for values in rest if _has_name_and_dob(values)}
        self._by_name = snapshots.load_by_name(district_id, names)
        usernames = _values_of(rest, "USERNAME")
        self._by_username = snapshots.load_by_column(district_id, "USERNAME", usernames)

    def match(self, line: int, values: Values) -> Match:
        """Find the student of a row.

        Args:
            line: The line of the row, for problems.
            values: Column to value. Invalid values are left out.
        """
        student_id = values.get("STUDENT_ID", "")
        student = self._by_student_id.get(student_id)
        if student:
            return Match(student, _identity_problem(line, student, values))
        student = self._by_name.get(name_and_dob(values)) if _has_name_and_dob(values) else None
        if student and student_id and student.values["STUDENT_ID"]:
            # The row can't mean this student, who may have a row of their own in the file.
            return Match(
                None,
                Problem("student_id_conflict", line=line, column="STUDENT_ID", found=student_id),
            )
        if student:
            return Match(student)
        student = self._by_username.get(values.get("USERNAME", ""))
        if student and not _contradicts(student, values):
            return Match(student)
        return Match(None)


def unknown_student(line: int, values: Values, similar_ids: Mapping[str, str]) -> Problem:
    """Return the problem of a row that matches no student.

    Args:
        line: The line of the row.
        values: Column to value of the row.
        similar_ids: As returned by ``find_ids_ignoring_leading_zeros``.
    """
    student_id = values.get("STUDENT_ID", "")
    similar_id = similar_ids.get(student_id.lstrip("0"))
    hint = ""
    if similar_id:
        hint = (
            f"{similar_id} exists: did a spreadsheet drop the zeros? "
            "Format the column as text and export again"
        )
    if student_id:
        column = "STUDENT_ID"
    elif values.get("USERNAME"):
        column = "USERNAME"
    else:
        column = "LAST_NAME"
    return Problem("unknown_student", line=line, column=column, found=student_id, hint=hint)


def find_ids_ignoring_leading_zeros(district_id: int, student_ids: set[str]) -> dict[str, str]:
    """Find students whose ID equals one of these unknown IDs except for leading zeros.

    Returns:
        The digits without leading zeros to the ID of the student.
    """
    digits = {student_id.lstrip("0") for student_id in student_ids if student_id.isdecimal()} - {""}
    padded: set[str] = set()
    for number in digits:
        padded.update(number.zfill(width) for width in range(len(number), _MAX_PADDED_LENGTH + 1))
    students = snapshots.load_by_column(district_id, "STUDENT_ID", padded)
    return {student_id.lstrip("0"): student_id for student_id in students}


def _values_of(batch: Sequence[Values], column: str) -> set[str]:
    return {values[column] for values in batch if values.get(column)}


def _has_name_and_dob(values: Values) -> bool:
    return bool(values.get("FIRST_NAME") and values.get("LAST_NAME") and values.get("DOB"))


def _identity_problem(line: int, student: StudentSnapshot, values: Values) -> Problem | None:
    """Return a problem if the names and the date of birth all differ from the student's.

    The ID was probably given to another person.
    """
    if not _has_name_and_dob(values):
        return None
    new_names, new_dob = name_and_dob(values)
    names, dob = name_and_dob(student.values)
    pairs = zip(new_names.split("\x1f"), names.split("\x1f"), strict=True)
    if new_dob != dob and all(new != old for new, old in pairs):
        return Problem(
            "identity_mismatch", line=line, column="STUDENT_ID", found=values["STUDENT_ID"]
        )
    return None


def _contradicts(student: StudentSnapshot, values: Values) -> bool:
    """Return whether a row with the student's username has another STUDENT_ID or DOB."""
    return any(
        values.get(column) and student.values[column] and values[column] != student.values[column]
        for column in ("STUDENT_ID", "DOB")
    )
