"""Students as plain values, fetched in bulk: what a row is matched with and compared to."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from django.db import connection

from rollbook.database.handing_over import AMONG_NUMBERS, handed_over, looked_up
from rollbook.format.columns import COLUMNS
from rollbook.roster.names import name_of

# The columns that stand in the student's own row of the database, under the same name in lower case.
OWN = tuple(column.name for column in COLUMNS if column.name not in {"SCHOOL_ID", "PASSWORD", "GROUPS", "STAFF"})

_SELECT = (
    f"SELECT found.id, d.edition, found.password, c.organization_id, {', '.join(f'found.{n.lower()}' for n in OWN)}"
)
_JOINED = "JOIN roster_school c ON c.id = found.school_id JOIN roster_rowdigest d ON d.student_id = found.id"
_OF_DISTRICT = {
    column: looked_up("roster_student", f"found.district_id = %s AND found.{column} = given.value")
    for column in ("student_id", "username", "name_key")
}


@dataclass(frozen=True, slots=True)
class Record:
    """One student: its key, edition, stored password, and each column's value as the student file writes it ("" is
    none)."""

    pk: int
    edition: int
    password: str
    values: dict[str, str]


def by_pk(pks: Collection[int]) -> dict[int, Record]:
    """The students with these keys."""
    found = _fetch(f"roster_student found {_JOINED} WHERE found.id {AMONG_NUMBERS}", pks)
    return {record.pk: record for record in found}


def with_links(pks: Collection[int]) -> dict[int, Record]:
    """The same, with GROUPS and STAFF."""
    found = by_pk(pks)
    add_links(found.values())
    return found


def locked(pks: Collection[int]) -> dict[int, int]:
    """Of the students with these keys the editions; whoever changes students takes this first, until its commit."""
    lock = "FOR NO KEY UPDATE" if connection.features.has_select_for_no_key_update else ""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT student_id, edition FROM roster_rowdigest WHERE student_id {AMONG_NUMBERS}"
            f" ORDER BY student_id {lock}",
            [handed_over(pks)],
        )
        return dict(cursor.fetchall())


def by_column(district_id: int, column: str, values: Collection[str]) -> dict[str, Record]:
    """The district's students by STUDENT_ID or USERNAME."""
    found = _fetch(f"{_OF_DISTRICT[column.lower()]} {_JOINED}", values, district_id)
    return {record.values[column]: record for record in found}


def by_name(district_id: int, names: Collection[tuple[str, str]]) -> dict[tuple[str, str], Record]:
    """The district's students of these names (see ``names.name_key``), by name and date of birth."""
    found = _fetch(f"{_OF_DISTRICT['name_key']} {_JOINED}", {name for name, _ in names}, district_id)
    return {name_of(record.values): record for record in found}


_HELD_BY = {
    "STUDENT_ID": f"SELECT found.student_id, found.id FROM {_OF_DISTRICT['student_id']}",
    "USERNAME": f"SELECT found.username, found.id FROM {_OF_DISTRICT['username']}",
    "LAST_NAME": f"SELECT found.name_key, found.dob, found.id FROM {_OF_DISTRICT['name_key']}",
}


def holders(district_id: int, column: str, keys: Collection[Any]) -> dict[Any, int]:
    """Of these keys those that are taken, and by whom: of STUDENT_ID, USERNAME, or under LAST_NAME name and DOB."""
    if not keys:
        return {}
    texts = {name for name, _ in keys} if column == "LAST_NAME" else keys
    with connection.cursor() as cursor:
        cursor.execute(_HELD_BY[column], [handed_over(texts), district_id])
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
        records = with_links(page)
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


def _fetch(source: str, keys: Collection[Any], *parameters: int) -> Iterable[Record]:
    if not keys:
        return
    with connection.cursor() as cursor:
        cursor.execute(f"{_SELECT} FROM {source}", [handed_over(keys), *parameters])
        for pk, edition, password, school, *own in cursor.fetchall():
            values = dict(zip(OWN, own, strict=True))
            values["STUDENT_ID"] = values["STUDENT_ID"] or ""
            values["DOB"] = str(values["DOB"])
            values["SCHOOL_ID"] = school
            yield Record(pk, edition, password, values)


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
