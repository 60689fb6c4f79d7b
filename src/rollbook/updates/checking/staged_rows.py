"""What checking finds of each row, as the database keeps it: rows to apply, rows rejected."""

import json
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from rollbook.db import bulk
from rollbook.students.name_keys import name_and_dob, name_key
from rollbook.students.passwords import hash_for_import
from rollbook.students.snapshots import StudentSnapshot
from rollbook.students.writer import COLUMN_ORDER, NAME_COLUMNS, SIMPLE_COLUMNS
from rollbook.updates.state_machine import Outcome

# Students who need a username made come after everybody who brings one.
ORDER_GENERATED_USERNAMES = 1 << 40


_as_json = json.JSONEncoder(ensure_ascii=False, check_circular=False).encode


class StagedRowTuple(NamedTuple):
    """One row of the table ``updates_stagedrow``, without its update; see ``models.Row``."""

    line: int
    student_id: int | None
    values_json: str
    apply_order: int
    outcome: str | None = None
    claims_student_id: str | None = None
    claims_username: str | None = None
    claims_name_key: str | None = None
    claims_dob: str | None = None
    fingerprint: int | None = None
    student_version: int | None = None
    simple_columns: str | None = None


def settled_row(line: int, outcome: Outcome) -> StagedRowTuple:
    """A row that will not be applied: its outcome stands already."""
    return StagedRowTuple(line, None, "", line, outcome)


def rejected_row(
    line: int, record: StudentSnapshot | None, values: Mapping[str, str]
) -> StagedRowTuple:
    """A rejected row: the student it means, or the keys that it names."""
    row = settled_row(line, Outcome.REJECTED)
    if record:
        return row._replace(student_id=record.pk)
    named = values.get("FIRST_NAME") and values.get("LAST_NAME")
    return row._replace(
        claims_student_id=values.get("STUDENT_ID") or None,
        claims_username=values.get("USERNAME") or None,
        claims_name_key=name_key(values["FIRST_NAME"], values["LAST_NAME"]) if named else None,
    )


def change_row(
    line: int, record: StudentSnapshot, new: Mapping[str, str], digest: int | None
) -> StagedRowTuple:
    """A row that changes a student; ``new`` are the columns that differ, PASSWORD as it was sent.

    Kept as column to the old value and the new one, in the documented order of columns.
    """
    renamed = not new.keys().isdisjoint({*NAME_COLUMNS, "DOB"})
    name = name_and_dob({**record.values, **new}) if renamed else None
    if name == name_and_dob(record.values):
        name = None
    said = _with_hashed_password(new)
    columns = sorted(said, key=COLUMN_ORDER.__getitem__)
    return StagedRowTuple(
        line,
        record.pk,
        _as_json({column: (record.values.get(column, ""), said[column]) for column in columns}),
        line,
        claims_student_id=new.get("STUDENT_ID"),
        claims_username=new.get("USERNAME"),
        claims_name_key=name[0] if name else None,
        claims_dob=name[1] if name else None,
        fingerprint=digest,
        student_version=record.version,
        simple_columns=",".join(columns) if new.keys() <= SIMPLE_COLUMNS else None,
    )


def new_student_row(line: int, values: Mapping[str, str], digest: int | None) -> StagedRowTuple:
    """A row that adds a student."""
    name, dob = name_and_dob(values)
    return StagedRowTuple(
        line,
        None,
        _as_json(_with_hashed_password(values)),
        line if values.get("USERNAME") else ORDER_GENERATED_USERNAMES + line,
        claims_student_id=values.get("STUDENT_ID") or None,
        claims_username=values.get("USERNAME") or None,
        claims_name_key=name,
        claims_dob=dob,
        fingerprint=digest,
    )


def stage(update_id: int, rows: Iterable[StagedRowTuple]) -> None:
    """Write these rows, inside the caller's transaction."""
    bulk.insert(
        "updates_stagedrow",
        ("update_id", *StagedRowTuple._fields),
        ((update_id, *row) for row in rows),
    )


def _with_hashed_password(values: Mapping[str, str]) -> Mapping[str, str]:
    """The password never stands anywhere as it was sent."""
    return (
        {**values, "PASSWORD": hash_for_import(values["PASSWORD"])}
        if "PASSWORD" in values
        else values
    )
