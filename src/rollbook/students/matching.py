"""Which student a row means: by STUDENT_ID, else by name and date of birth, else by username."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rollbook.studentfile.problems.problem import Problem
from rollbook.students import snapshots
from rollbook.students.name_keys import name_and_dob
from rollbook.students.snapshots import StudentSnapshot

Values = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Match:
    """The student a row means, or None and perhaps why not."""

    record: StudentSnapshot | None
    problem: Problem | None = None


class StudentMatcher:
    """All students that any row of a batch could mean, fetched at once: one question for each way to match."""

    def __init__(self, district_id: int, batch: Sequence[Values]) -> None:
        def said(column: str) -> set[str]:
            return {values[column] for values in batch if values.get(column)}

        self._by_student_id = snapshots.load_by_column(
            district_id, "STUDENT_ID", said("STUDENT_ID")
        )
        unknown = [
            values for values in batch if values.get("STUDENT_ID", "") not in self._by_student_id
        ]
        self._by_name = snapshots.load_by_name(
            district_id, {name_and_dob(values) for values in unknown if _is_named(values)}
        )
        self._by_username = snapshots.load_by_column(
            district_id,
            "USERNAME",
            {values["USERNAME"] for values in unknown if values.get("USERNAME")},
        )

    def match(self, line: int, values: Values) -> Match:
        """Which student the row means. Its cells need not all be good; those missing do not take part."""
        student_id = values.get("STUDENT_ID", "")
        record = self._by_student_id.get(student_id)
        if record:
            return Match(record, _identity_problem(line, record, values))
        record = self._by_name.get(name_and_dob(values)) if _is_named(values) else None
        if record and student_id and record.values["STUDENT_ID"]:
            # Whoever the row means, it is not this student, of whom another row may well speak.
            return Match(
                None,
                Problem("student_id_conflict", line=line, column="STUDENT_ID", found=student_id),
            )
        if record:
            return Match(record)
        record = self._by_username.get(values.get("USERNAME", ""))
        if record and not _contradicts(record, values):
            return Match(record)
        return Match(None)


def unknown_student(line: int, values: Values, zeros: Mapping[str, str]) -> Problem:
    """The problem of a row that means nobody; ``zeros`` tells of IDs that differ only by leading zeros."""
    student_id = values.get("STUDENT_ID", "")
    meant = zeros.get(student_id.lstrip("0"))
    hint = (
        f"{meant} exists: did a spreadsheet drop the zeros? Format the column as text and export again"
        if meant
        else ""
    )
    column = "STUDENT_ID" if student_id else "USERNAME" if values.get("USERNAME") else "LAST_NAME"
    return Problem("unknown_student", line=line, column=column, found=student_id, hint=hint)


def find_ids_ignoring_leading_zeros(district_id: int, student_ids: set[str]) -> dict[str, str]:
    """Of these unknown IDs, those that a student has with more or fewer leading zeros: bare digits to the real ID."""
    bare = {student_id.lstrip("0") for student_id in student_ids if student_id.isdecimal()} - {""}
    padded = {digits.zfill(width) for digits in bare for width in range(len(digits), 13)}
    found = snapshots.load_by_column(district_id, "STUDENT_ID", padded)
    return {student_id.lstrip("0"): student_id for student_id in found}


def _is_named(values: Values) -> bool:
    return bool(values.get("FIRST_NAME") and values.get("LAST_NAME") and values.get("DOB"))


def _identity_problem(line: int, record: StudentSnapshot, values: Values) -> Problem | None:
    """An ID whose names and date of birth are all another person's was probably given to somebody else."""
    if not _is_named(values):
        return None
    given, known = name_and_dob(values), name_and_dob(record.values)
    names = zip(given[0].split("\x1f"), known[0].split("\x1f"), strict=True)
    if given[1] != known[1] and all(new != old for new, old in names):
        return Problem(
            "identity_mismatch", line=line, column="STUDENT_ID", found=values["STUDENT_ID"]
        )
    return None


def _contradicts(record: StudentSnapshot, values: Values) -> bool:
    """Whether the row names the student's username but another STUDENT_ID or date of birth."""
    return any(
        values.get(column) and record.values[column] and values[column] != record.values[column]
        for column in ("STUDENT_ID", "DOB")
    )
