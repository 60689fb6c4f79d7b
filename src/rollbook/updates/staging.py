"""What checking finds of each row, as the database keeps it: rows to apply, rows rejected."""

import json
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from rollbook.database import bulk
from rollbook.roster.changing import NAMES, PLACES, PLAIN
from rollbook.roster.names import name_key, name_of
from rollbook.roster.passwords import seal
from rollbook.roster.records import Record
from rollbook.updates.moves import Outcome

# Students who need a username made come after everybody who brings one.
TURN_OF_THE_NAMELESS = 1 << 40


_as_json = json.JSONEncoder(ensure_ascii=False, check_circular=False).encode


class StagedRow(NamedTuple):
    """One row of the table ``updates_row``, without its update; see ``models.Row``."""

    line: int
    student_id: int | None
    row_values: str
    turn: int
    outcome: str | None = None
    takes_student_id: str | None = None
    takes_username: str | None = None
    takes_name_key: str | None = None
    takes_dob: str | None = None
    digest: int | None = None
    edition: int | None = None
    plain: str | None = None


def settled(line: int, outcome: Outcome) -> StagedRow:
    """A row that will not be applied: its outcome stands already."""
    return StagedRow(line, None, "", line, outcome)


def rejected(line: int, record: Record | None, values: Mapping[str, str]) -> StagedRow:
    """A rejected row: the student it means, or the keys that it names."""
    row = settled(line, Outcome.REJECTED)
    if record:
        return row._replace(student_id=record.pk)
    named = values.get("FIRST_NAME") and values.get("LAST_NAME")
    return row._replace(
        takes_student_id=values.get("STUDENT_ID") or None,
        takes_username=values.get("USERNAME") or None,
        takes_name_key=name_key(values["FIRST_NAME"], values["LAST_NAME"]) if named else None,
    )


def changing(line: int, record: Record, new: Mapping[str, str], digest: int | None) -> StagedRow:
    """A row that changes a student; ``new`` are the columns that differ, PASSWORD as it was sent.

    Kept as column to the old value and the new one, in the documented order of columns.
    """
    renamed = not new.keys().isdisjoint({*NAMES, "DOB"})
    name = name_of({**record.values, **new}) if renamed else None
    if name == name_of(record.values):
        name = None
    said = _sealed(new)
    columns = sorted(said, key=PLACES.__getitem__)
    return StagedRow(
        line,
        record.pk,
        _as_json({column: (record.values.get(column, ""), said[column]) for column in columns}),
        line,
        takes_student_id=new.get("STUDENT_ID"),
        takes_username=new.get("USERNAME"),
        takes_name_key=name[0] if name else None,
        takes_dob=name[1] if name else None,
        digest=digest,
        edition=record.edition,
        plain=",".join(columns) if new.keys() <= PLAIN else None,
    )


def adding(line: int, values: Mapping[str, str], digest: int | None) -> StagedRow:
    """A row that adds a student."""
    name, dob = name_of(values)
    return StagedRow(
        line,
        None,
        _as_json(_sealed(values)),
        line if values.get("USERNAME") else TURN_OF_THE_NAMELESS + line,
        takes_student_id=values.get("STUDENT_ID") or None,
        takes_username=values.get("USERNAME") or None,
        takes_name_key=name,
        takes_dob=dob,
        digest=digest,
    )


def stage(update_id: int, rows: Iterable[StagedRow]) -> None:
    """Write these rows, inside the caller's transaction."""
    bulk.insert("updates_row", ("update_id", *StagedRow._fields), ((update_id, *row) for row in rows))


def _sealed(values: Mapping[str, str]) -> Mapping[str, str]:
    """The password never stands anywhere as it was sent."""
    return {**values, "PASSWORD": seal(values["PASSWORD"])} if "PASSWORD" in values else values
