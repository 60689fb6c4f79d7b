"""Students as plain values, fetched in bulk: what a row is matched with and compared to."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from django.db import connection

from rollbook.database.handing_over import AMONG_NAMES, AMONG_NUMBERS, AMONG_TEXTS, handed_over
from rollbook.format.columns import COLUMNS
from rollbook.roster.names import name_of

# The columns that stand in the student's own row of the database, under the same name in lower case.
OWN = tuple(column.name for column in COLUMNS if column.name not in {"SCHOOL_ID", "PASSWORD", "GROUPS", "STAFF"})

_SELECT = f"""
SELECT s.id, s.password, c.organization_id, {", ".join(f"s.{name.lower()}" for name in OWN)}
FROM roster_student s JOIN roster_school c ON c.id = s.school_id"""


@dataclass(frozen=True, slots=True)
class Record:
    """One student: its key, stored password, and each column's value as the student file writes it ("" is none)."""

    pk: int
    password: str
    values: dict[str, str]


def by_pk(pks: Iterable[int]) -> dict[int, Record]:
    """The students with these keys."""
    return {record.pk: record for record in _fetch(f"s.id {AMONG_NUMBERS}", pks)}


def by_column(district_id: int, column: str, values: Collection[str]) -> dict[str, Record]:
    """The district's students by STUDENT_ID or USERNAME."""
    found = _fetch(f"s.{column.lower()} {AMONG_TEXTS}", values, district_id)
    return {record.values[column]: record for record in found}


def by_name(district_id: int, names: Collection[tuple[str, str]]) -> dict[tuple[str, str], Record]:
    """The district's students by name key (see ``names.name_key``) and date of birth."""
    found = _fetch(f"(s.name_key, s.dob) {AMONG_NAMES}", names, district_id)
    return {name_of(record.values): record for record in found}


_HELD_BY = {
    "STUDENT_ID": f"SELECT student_id, id FROM roster_student WHERE district_id = %s AND student_id {AMONG_TEXTS}",
    "USERNAME": f"SELECT username, id FROM roster_student WHERE district_id = %s AND username {AMONG_TEXTS}",
    "LAST_NAME": "SELECT name_key, dob, id FROM roster_student"
    f" WHERE district_id = %s AND (name_key, dob) {AMONG_NAMES}",
}


def holders(district_id: int, column: str, keys: Collection[Any]) -> dict[Any, int]:
    """Of these keys those that are taken, and by whom: of STUDENT_ID, USERNAME, or under LAST_NAME name and DOB."""
    if not keys:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_HELD_BY[column], [district_id, handed_over(keys)])
        found = cursor.fetchall()
    if column == "LAST_NAME":
        return {(name, str(dob)): pk for name, dob, pk in found}
    return dict(found)


def in_order(district_id: int, size: int = 2000) -> Iterable[list[Record]]:
    """Every student of the district in the order of STUDENT_ID, those without one last, with groups and staff."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM roster_student WHERE district_id = %s ORDER BY student_id IS NULL, student_id, id",
            [district_id],
        )
        pks = [pk for (pk,) in cursor.fetchall()]
    for start in range(0, len(pks), size):
        page = pks[start : start + size]
        records = by_pk(page)
        add_links(records.values())
        yield [records[pk] for pk in page if pk in records]


def add_links(records: Collection[Record]) -> None:
    """Put each student's GROUPS and STAFF into its values."""
    groups = _links("groups", "roster_group g ON g.id = l.group_id", "g.name", records)
    staff = _links("staff", "staff_member g ON g.id = l.member_id", "g.email", records)
    for record in records:
        record.values["GROUPS"] = listed(groups[record.pk])
        record.values["STAFF"] = listed(staff[record.pk])


def listed(names: Iterable[str]) -> str:
    """Several values as one cell holds them."""
    return "&".join(sorted(names, key=str.casefold))


def _fetch(where: str, keys: Iterable[Any], district_id: int | None = None) -> Iterable[Record]:
    keys = list(keys)
    if not keys:
        return
    parameters: list[Any] = [handed_over(keys)]
    if district_id is not None:
        where = f"s.district_id = %s AND {where}"
        parameters.insert(0, district_id)
    with connection.cursor() as cursor:
        cursor.execute(f"{_SELECT} WHERE {where}", parameters)
        for pk, password, school, *own in cursor.fetchall():
            values = dict(zip(OWN, own, strict=True))
            values["STUDENT_ID"] = values["STUDENT_ID"] or ""
            values["DOB"] = str(values["DOB"])
            values["SCHOOL_ID"] = school
            yield Record(pk, password, values)


def _links(kind: str, join: str, name: str, records: Collection[Record]) -> defaultdict[int, list[str]]:
    links: defaultdict[int, list[str]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT l.student_id, {name} FROM roster_student_{kind} l JOIN {join} WHERE l.student_id {AMONG_NUMBERS}",
            [handed_over([record.pk for record in records])],
        )
        for pk, value in cursor.fetchall():
            links[pk].append(value)
    return links
