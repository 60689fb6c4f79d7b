"""Build and store staged rows: changes and new students to apply, and rows already settled."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from rollbook.db import bulk
from rollbook.studentfile.row_validator import missing_required_values
from rollbook.students.name_keys import loose_key, name_and_dob, name_key
from rollbook.students.passwords import ImportedPasswords
from rollbook.students.snapshots import StoredStudent, StudentSnapshot
from rollbook.students.writer import COLUMN_ORDER, NAME_COLUMNS, SIMPLE_COLUMNS
from rollbook.updates.checking.simple_rows import ColumnChange
from rollbook.updates.state_machine import Outcome

ORDER_GENERATED_USERNAMES = 1 << 40
"""New students without a username are added last; their ``apply_order`` starts here."""

ORDER_INCOMPLETE = 1 << 41
"""New students who lack a required value; their ``apply_order`` starts here.

They are never applied: another row of the same student completes them, or they are rejected.
"""

_NAME_AND_DOB = frozenset({*NAME_COLUMNS, "DOB"})

_as_json = json.JSONEncoder(ensure_ascii=False, check_circular=False).encode
_as_json_lines = json.JSONEncoder(
    ensure_ascii=False, check_circular=False, separators=(",\n", ":")
).encode


class StagedRowTuple(NamedTuple):
    """A row of the table ``updates_stagedrow`` without its update; see ``models.StagedRow``."""

    line: int
    student_id: int | None
    values_json: str
    apply_order: int
    outcome: str | None = None
    claims_student_id: str | None = None
    claims_username: str | None = None
    claims_name_key: str | None = None
    claims_dob: str | None = None
    claims_loose_key: int | None = None
    fingerprint: int | None = None
    student_version: int | None = None
    simple_columns: str | None = None
    columns: str | None = None
    school: str | None = None
    to_school: str | None = None


class SimpleChangeTuple(NamedTuple):
    """The columns of a ``StagedRowTuple`` that a row without a problem and claims has."""

    line: int
    student_id: int
    apply_order: int
    fingerprint: int
    student_version: int
    school: str
    values_json: str
    simple_columns: str | None
    columns: str


class NewStudentTuple(NamedTuple):
    """The columns of a ``StagedRowTuple`` that a row has which adds a student.

    Attributes:
        values_json: Column to value; ``stage`` encodes those of all rows together.
    """

    line: int
    apply_order: int
    claims_student_id: str | None
    claims_username: str | None
    claims_name_key: str | None
    claims_dob: str | None
    claims_loose_key: int | None
    fingerprint: int | None
    to_school: str | None
    values_json: Mapping[str, str]

    @property
    def student_id(self) -> int | None:
        """None, as the student isn't in the database yet."""
        return None


AnyRowTuple = StagedRowTuple | SimpleChangeTuple | NewStudentTuple


def settled_row(line: int, outcome: Outcome) -> StagedRowTuple:
    """Return a row that has an outcome and won't be applied."""
    return StagedRowTuple(line, None, "", line, outcome)


def rejected_row(
    line: int, student: StudentSnapshot | None, values: Mapping[str, str]
) -> StagedRowTuple:
    """Return a rejected row with its student, or with the keys in the file by which to find it.

    Name and date of birth are a key only of a row without a STUDENT_ID, as in matching.
    """
    row = settled_row(line, Outcome.REJECTED)
    if student:
        return row._replace(student_id=student.pk, school=student.values["SCHOOL_ID"])
    name, _, key = _name_claims(values)
    student_id = values.get("STUDENT_ID") or None
    return row._replace(
        school=values.get("SCHOOL_ID") or None,
        claims_student_id=student_id,
        claims_username=values.get("USERNAME") or None,
        claims_name_key=name,
        claims_loose_key=None if student_id else key,
    )


def change_row(
    line: int,
    student: StudentSnapshot,
    new: Mapping[str, str],
    fingerprint: int | None,
    passwords: ImportedPasswords,
) -> StagedRowTuple:
    """Return a row that changes a student.

    Args:
        line: The row's line in the student file.
        student: The student that the row was compared with.
        new: The columns that differ, and their new values; PASSWORD as in the file.
        fingerprint: The row's fingerprint; None if the row had a warning.
        passwords: Hashes PASSWORD.
    """
    stored = _with_hashed_password(new, passwords)
    old = student.values
    changes = tuple((column, old.get(column, ""), value) for column, value in stored.items())
    values_json, simple_columns, columns = _describe_changes(changes)
    row = StagedRowTuple(
        line,
        student.pk,
        values_json,
        line,
        claims_student_id=new.get("STUDENT_ID"),
        claims_username=new.get("USERNAME"),
        fingerprint=fingerprint,
        student_version=student.version,
        simple_columns=simple_columns,
        columns=columns,
        school=old["SCHOOL_ID"],
        to_school=new.get("SCHOOL_ID"),
    )
    if new.keys().isdisjoint(_NAME_AND_DOB):
        return row
    values = {**student.values, **new}
    if name_and_dob(values) == name_and_dob(student.values):
        return row
    name, dob, key = _name_claims(values)
    return row._replace(claims_name_key=name, claims_dob=dob, claims_loose_key=key)


def simple_change_row(
    line: int, student: StoredStudent, changes: Iterable[ColumnChange], fingerprint: int
) -> SimpleChangeTuple:
    """Return what ``change_row`` returns for a row that changes simple columns only.

    Args:
        line: The row's line in the student file.
        student: The student that the row was compared with.
        changes: The columns that differ; PASSWORD is hashed.
        fingerprint: The row's fingerprint.
    """
    pk, version, _, school, *_ = student
    described = _describe_changes(tuple(changes))
    return SimpleChangeTuple(line, pk, line, fingerprint, version, school, *described)


def new_student_row(
    line: int,
    values: Mapping[str, str],
    fingerprint: int | None,
    passwords: ImportedPasswords,
) -> NewStudentTuple:
    """Return a row that adds a student; one that lacks a required value can't be applied.

    Args:
        line: The row's line in the student file.
        values: The student's values by column; PASSWORD as in the file.
        fingerprint: The row's fingerprint; None if the row had a warning.
        passwords: Hashes PASSWORD.
    """
    apply_order = line if values.get("USERNAME") else ORDER_GENERATED_USERNAMES + line
    if missing_required_values(values, line):
        apply_order = ORDER_INCOMPLETE + line
    return NewStudentTuple(
        line,
        apply_order,
        values.get("STUDENT_ID") or None,
        values.get("USERNAME") or None,
        *_name_claims(values),
        fingerprint,
        values.get("SCHOOL_ID") or None,
        _with_hashed_password(values, passwords),
    )


@lru_cache(maxsize=2000)  # of a rollover, each change is that of thousands of students
def _describe_changes(changes: tuple[tuple[str, str, str], ...]) -> tuple[str, str | None, str]:
    """Return changes as JSON, the names of their columns if all are simple, and their signature.

    Args:
        changes: Each column with its old and new value.
    """
    by_column = {column: (old, new) for column, old, new in changes}
    columns = sorted(by_column, key=COLUMN_ORDER.__getitem__)
    simple_columns = ",".join(columns) if by_column.keys() <= SIMPLE_COLUMNS else None
    different = [(name, by_column[name][1]) for name in columns if len({*by_column[name]}) > 1]
    signature = ",".join(sign(name, new) for name, new in different)
    return _as_json({column: by_column[column] for column in columns}), simple_columns, signature


def sign(column: str, new: str) -> str:
    """Return a column as it is written in ``columns`` of a staged row.

    A minus sign follows where the student loses the value, or becomes inactive.
    """
    is_lost = new == "" or (column == "STATUS" and new == "inactive")
    return f"{column}-" if is_lost else column


def stage(update_id: int, rows: Iterable[AnyRowTuple]) -> None:
    """Insert these rows, in the caller's transaction."""
    by_kind: defaultdict[type[NamedTuple], list[tuple[object, ...]]] = defaultdict(list)
    new_students = []
    for row in rows:
        if isinstance(row, NewStudentTuple):
            new_students.append(row)
        else:
            by_kind[type(row)].append((update_id, *row))
    for row, values in zip(new_students, _each_as_json(new_students), strict=True):
        by_kind[NewStudentTuple].append((update_id, *row[:-1], values))
    for kind, some in by_kind.items():
        columns, is_sorted = ("update_id", *kind._fields), kind is not NewStudentTuple
        bulk.insert("updates_stagedrow", columns, some, is_sorted=is_sorted)


def _each_as_json(rows: Sequence[NewStudentTuple]) -> list[str]:
    """Return the values of each row as JSON; to encode them together takes half as long.

    Line breaks within a value are escaped, so the one before a brace is always between two rows.
    """
    if not rows:
        return []
    text = _as_json_lines([row.values_json for row in rows])
    return [f"{{{members}}}" for members in text[2:-2].split("},\n{")]


def _name_claims(values: Mapping[str, str]) -> tuple[str | None, str | None, int | None]:
    """Return the name key, date of birth and loose key that a student gets with these values."""
    first, last, dob = values.get("FIRST_NAME"), values.get("LAST_NAME"), values.get("DOB") or None
    name = name_key(first, last) if first and last else None
    key = loose_key(values) if name and dob else None
    return name, dob, key


def _with_hashed_password(
    values: Mapping[str, str], passwords: ImportedPasswords
) -> Mapping[str, str]:
    """Return the values with PASSWORD hashed: it is never stored as in the file."""
    if "PASSWORD" not in values:
        return values
    return {**values, "PASSWORD": passwords.hash(values["PASSWORD"])}
