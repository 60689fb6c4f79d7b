"""Find the student of a row: by STUDENT_ID, then name and date of birth, then username."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from rollbook.studentfile.problems.problem import Problem
from rollbook.students import identity, similar_ids, snapshots
from rollbook.students.name_keys import loose_key, name_and_dob
from rollbook.students.snapshots import LoadedStudents, StudentSnapshot
from rollbook.text import join_words

Values = Mapping[str, str]

MAX_LISTED_STUDENTS = 5


class Match(NamedTuple):
    """The student of a row, if there is one, and what is wrong with the row, if anything.

    Attributes:
        student: The student; None if there is none.
        problem: Why the row is rejected.
        problem_unless_added: Why the row is rejected if the update doesn't add students.
        warning_if_added: What is unusual about the row if it adds a student.
    """

    student: StudentSnapshot | None
    problem: Problem | None = None
    problem_unless_added: Problem | None = None
    warning_if_added: Problem | None = None


@dataclass(slots=True)
class _Namesakes:
    """The enrolled students with one name and date of birth."""

    all: list[StudentSnapshot] = field(default_factory=list)
    by_username: dict[str, StudentSnapshot] = field(default_factory=dict)
    without_id: list[StudentSnapshot] = field(default_factory=list)

    def add(self, student: StudentSnapshot) -> None:
        self.all.append(student)
        self.by_username[student.values["USERNAME"]] = student
        if not student.values["STUDENT_ID"]:
            self.without_id.append(student)

    def candidates(self, student_id: str) -> list[StudentSnapshot]:
        """Return those who can be meant by a row with this STUDENT_ID, or by one without."""
        return self.without_id if student_id else self.all


class StudentMatcher:
    """Matches the rows of a batch; loads all candidates with one query for each way to match.

    Args:
        district_id: The district.
        batch: Column to value of each row.
        students: Those of the students that are loaded already; others are added.
    """

    def __init__(self, district_id: int, batch: Sequence[Values], students: LoadedStudents) -> None:
        students.load(_values_of(batch, "STUDENT_ID"))
        self._by_student_id, found = students, students.stored
        rest = [values for values in batch if values.get("STUDENT_ID", "") not in found]
        keys = {loose_key(values) for values in rest if _has_name_and_dob(values)}
        self._by_name: defaultdict[tuple[str, str], _Namesakes] = defaultdict(_Namesakes)
        for student in snapshots.load_by_loose_key(district_id, keys):
            self._by_name[name_and_dob(student.values)].add(student)
        usernames = _values_of(rest, "USERNAME")
        self._by_username = snapshots.load_by_column(district_id, "USERNAME", usernames)

    def match(self, line: int, values: Values) -> Match:
        """Find the student of a row.

        Args:
            line: The line of the row, for problems.
            values: Column to value. Invalid values are left out.
        """
        student = self._by_student_id.get(values.get("STUDENT_ID", ""))
        if student:
            problem = identity.find_contradiction(line, student.values, values, "STUDENT_ID")
            return Match(student, problem)
        namesakes = self._namesakes(values)
        candidates = namesakes.candidates(values.get("STUDENT_ID", "")) if namesakes else []
        if candidates and namesakes:
            return _match_by_name(line, values, candidates, namesakes)
        match = self._match_by_username(line, values)
        if namesakes and not match.student:
            # The students with this name have other IDs, so the row can't be about them.
            problem = _student_id_conflict(line, values["STUDENT_ID"], namesakes.all)
            return Match(None, match.problem, problem)
        if not match.student and self._has_exchanged_namesake(values):
            problem = Problem("names_exchanged", line, "LAST_NAME")
            return Match(None, None, problem, Problem("names_may_be_exchanged", line, "LAST_NAME"))
        return match

    def _has_exchanged_namesake(self, values: Values) -> bool:
        """Return whether a student has the first name as the last name, and vice versa."""
        if not self._by_name or not _has_name_and_dob(values):
            return False
        if values["FIRST_NAME"] == values["LAST_NAME"]:
            return False
        names = {"FIRST_NAME": values["LAST_NAME"], "LAST_NAME": values["FIRST_NAME"]}
        return name_and_dob({**values, **names}) in self._by_name

    def _namesakes(self, values: Values) -> _Namesakes | None:
        if not self._by_name or not _has_name_and_dob(values):
            return None
        return self._by_name.get(name_and_dob(values))

    def _match_by_username(self, line: int, values: Values) -> Match:
        student = self._by_username.get(values.get("USERNAME", ""))
        if not student:
            return Match(None)
        problem = identity.find_contradiction(line, student.values, values, "USERNAME")
        if problem and problem.code != "placeholder":
            return Match(None, None, problem)
        return Match(None) if _contradicts(student, values) else Match(student, problem)


def _match_by_name(
    line: int, values: Values, candidates: list[StudentSnapshot], namesakes: _Namesakes
) -> Match:
    """Return the only candidate, or the one with the username of the row."""
    if len(candidates) == 1:
        return Match(candidates[0])
    student = namesakes.by_username.get(values.get("USERNAME", ""))
    if student and not (values.get("STUDENT_ID") and student.values["STUDENT_ID"]):
        return Match(student)
    return Match(None, ambiguous_student(line, [student.values for student in candidates]))


def ambiguous_student(line: int, candidates: Sequence[Values]) -> Problem:
    """Return the problem of a row without an ID that could be about several students."""
    listed = [describe(values) for values in candidates[:MAX_LISTED_STUDENTS]]
    if len(candidates) > MAX_LISTED_STUDENTS:
        listed.append("more")
    hint = f"fill in the STUDENT_ID of the right one: {join_words(listed)}"
    return Problem("ambiguous_student", line, "STUDENT_ID", hint=hint)


def describe(values: Values) -> str:
    """Return what identifies a student in a message: the ID, or else the username."""
    if values.get("STUDENT_ID"):
        return values["STUDENT_ID"]
    username = values.get("USERNAME")
    return f"no ID (username {username})" if username else "no ID"


def unknown_student(line: int, values: Values, similar: Mapping[str, str]) -> Problem:
    """Return the problem of a row that matches no student.

    Args:
        line: The line of the row.
        values: Column to value of the row.
        similar: As returned by ``similar_ids.find``.
    """
    student_id = values.get("STUDENT_ID", "")
    hint = _hint_for_similar_id(student_id, similar)
    if student_id:
        column = "STUDENT_ID"
    elif values.get("USERNAME"):
        column = "USERNAME"
    else:
        column = "LAST_NAME"
    return Problem("unknown_student", line=line, column=column, found=student_id, hint=hint)


def similar_student(line: int, student_id: str, similar: Mapping[str, str]) -> Problem | None:
    """Return the problem of a new student with an ID that is another's except for zeros or case.

    Args:
        line: The line of the row.
        student_id: The STUDENT_ID of the row, or "".
        similar: As returned by ``similar_ids.find``.
    """
    hint = _hint_for_similar_id(student_id, similar)
    if not hint:
        return None
    hint += "; if it's another student, add the student in Rollbook first"
    return Problem("similar_student_id", line, "STUDENT_ID", student_id, hint)


def _hint_for_similar_id(student_id: str, similar: Mapping[str, str]) -> str:
    similar_id = similar.get(similar_ids.fold(student_id)) if similar and student_id else None
    return similar_ids.hint(student_id, similar_id) if similar_id else ""


def _student_id_conflict(
    line: int, student_id: str, namesakes: Sequence[StudentSnapshot]
) -> Problem:
    known_ids = [student.values["STUDENT_ID"] for student in namesakes[:MAX_LISTED_STUDENTS]]
    hint = (
        f"the student with this name and date of birth has the STUDENT_ID {join_words(known_ids)}: "
        f"use that in place of {student_id}; if {student_id} is correct, change it in Rollbook"
    )
    return Problem("student_id_conflict", line, "STUDENT_ID", student_id, hint)


def _values_of(batch: Sequence[Values], column: str) -> set[str]:
    return {values[column] for values in batch if values.get(column)}


def _has_name_and_dob(values: Values) -> bool:
    return bool(values.get("FIRST_NAME") and values.get("LAST_NAME") and values.get("DOB"))


def _contradicts(student: StudentSnapshot, values: Values) -> bool:
    """Return whether a row with the student's username has another STUDENT_ID or DOB."""
    return any(
        values.get(column) and student.values[column] and values[column] != student.values[column]
        for column in ("STUDENT_ID", "DOB")
    )
