"""The only writer of students: applies changes in bulk, keeps the history, moves links on transfer.

Everything here runs inside the caller's transaction, so that a change, its history and its outcome are one.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter
from typing import Any, NamedTuple

from django.db import connection

from rollbook.database import bulk
from rollbook.database.handing_over import AMONG_NUMBERS, AMONG_TEXTS, handed_over
from rollbook.format.columns import COLUMNS
from rollbook.roster import digests, passwords, records
from rollbook.roster.models import DEFAULT_GROUP, Group, Student
from rollbook.roster.names import name_key, name_of
from rollbook.roster.records import OWN, Record
from rollbook.roster.usernames import Usernames

NAMES = frozenset({"FIRST_NAME", "LAST_NAME"})
ADDED = "STUDENT"  # the field under which the history tells that a student was added

# Columns that are nothing but their own value: no key, no link, and no part of either.
PLAIN = frozenset(OWN) - {"STUDENT_ID", "USERNAME", "DOB", *NAMES} | {"PASSWORD"}

PLACES = {column.name: place for place, column in enumerate(COLUMNS)}  # of the columns, in the documented order
_UNTOLD = dict.fromkeys(OWN, "") | {"STATUS": "active"}  # of a new student, what the row does not say
_own_of = itemgetter(*OWN)
_SECRET = frozenset(column.name for column in COLUMNS if column.secret)
_CHANGE = ("student_id", "field", "old", "new", "at", "update_id", "member_id")


class _Plainly(NamedTuple):
    """How a database takes ``[[student, {column: [old, new]}], …]`` apart."""

    new: str
    update: str
    keep_history: str


_IS_SECRET = f"change.key IN ({', '.join(repr(name) for name in sorted(_SECRET))})"
_TOLD = (
    f"CASE WHEN {_IS_SECRET} THEN '' ELSE change.value ->> 0 END,"
    f" CASE WHEN {_IS_SECRET} THEN 'changed' ELSE change.value ->> 1 END"
)
_PLAINLY = {
    "sqlite": _Plainly(
        "given.value ->> '$[1].{}[1]'",
        "UPDATE roster_student SET {assigned} FROM json_each(%s) AS given WHERE roster_student.id = given.value ->> 0",
        f"INSERT INTO roster_change ({', '.join(_CHANGE)}) SELECT given.value ->> 0, change.key, {_TOLD}, %s, %s, %s"
        " FROM json_each(%s) AS given CROSS JOIN json_each(given.value, '$[1]') AS change",
    ),
    "postgresql": _Plainly(
        "given.value #>> '{{1,{},1}}'",
        "UPDATE roster_student SET {assigned} FROM jsonb_array_elements(%s) AS given(value)"
        " WHERE roster_student.id = (given.value ->> 0)::bigint",
        f"INSERT INTO roster_change ({', '.join(_CHANGE)})"
        f" SELECT (given.value ->> 0)::bigint, change.key, {_TOLD}, %s, %s, %s"
        " FROM json_array_elements(%s) AS given(value) CROSS JOIN json_each(given.value -> 1) AS change",
    ),
}[connection.vendor]


@dataclass(frozen=True, slots=True)
class Author:
    """On whose behalf a change is made, and when."""

    update_id: int | None
    member_id: int | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Revision:
    """A student and the new values of the columns that change; a new PASSWORD is sealed already.

    ``digest`` is that of the row that says all this, None if it comes from elsewhere.
    """

    record: Record
    new: dict[str, str]
    digest: int | None = None


class PlainRevision(NamedTuple):
    """A student and the JSON object of PLAIN columns to their old and new values; PASSWORD and ``digest`` as above."""

    student: int
    changes: str
    digest: int | None


@dataclass(frozen=True, slots=True)
class Newcomer:
    """A student to be added: the values of the columns; a given PASSWORD is sealed already. ``digest`` as above."""

    values: Mapping[str, str]
    digest: int | None = None


def revise(district_id: int, revisions: Sequence[Revision], author: Author) -> None:
    """Write these changes. No key may be taken by a student outside of ``revisions``; within them any order is good."""
    if not revisions:
        return
    schools = _schools(district_id)
    _empty_keys(revisions)
    by_columns: defaultdict[tuple[str, ...], list[tuple[Any, ...]]] = defaultdict(list)
    for revision in revisions:
        assigned = _assigned(revision, schools)
        if assigned:
            by_columns[tuple(assigned)].append((*assigned.values(), revision.record.pk))
    for columns, rows in by_columns.items():
        bulk.update(Student, columns, rows)
    regrouped = [revision for revision in revisions if "GROUPS" in revision.new]
    _unlink("groups", [revision.record.pk for revision in regrouped])
    _link_groups(
        (revision.record.pk, schools[(revision.record.values | revision.new)["SCHOOL_ID"]], revision.new["GROUPS"])
        for revision in regrouped
    )
    restaffed = {revision.record.pk: revision.new["STAFF"] for revision in revisions if "STAFF" in revision.new}
    _unlink("staff", restaffed)
    _link_staff(district_id, restaffed)
    digests.replace((revision.record.pk, revision.digest) for revision in revisions)  # last: links clear them
    _keep_history((entry for revision in revisions for entry in _history(revision)), author)


def revise_plainly(columns: Iterable[str], revisions: Sequence[PlainRevision], author: Author) -> None:
    """Write changes of exactly these columns, whose old values still stand; the database takes the JSON apart."""
    given = "[" + ",".join(f"[{revision.student},{revision.changes}]" for revision in revisions) + "]"
    assigned = ", ".join(f"{column.lower()} = {_PLAINLY.new.format(column)}" for column in columns)
    with connection.cursor() as cursor:
        cursor.execute(_PLAINLY.update.format(assigned=assigned), [given])
        cursor.execute(_PLAINLY.keep_history, [*_by(author), given])
    digests.replace((revision.student, revision.digest) for revision in revisions)


def enroll(district_id: int, newcomers: Sequence[Newcomer], author: Author) -> None:
    """Add these students; whoever lacks a username or password gets one."""
    if not newcomers:
        return
    schools = _schools(district_id)
    said = [newcomer.values for newcomer in newcomers]
    usernames = Usernames(district_id, {values["USERNAME"] for values in said if values.get("USERNAME")})
    new = [{"USERNAME": values.get("USERNAME") or usernames.make(values), **values} for values in said]
    columns = ["id", "district_id", "school_id", "password", "name_key", *(name.lower() for name in OWN)]
    added = dict(zip(bulk.new_keys("roster_student", len(new)), new, strict=True))
    bulk.insert(
        "roster_student", columns, ([pk, *_inserted(district_id, schools, values)] for pk, values in added.items())
    )
    _link_groups((pk, schools[v["SCHOOL_ID"]], v.get("GROUPS") or DEFAULT_GROUP) for pk, v in added.items())
    _link_staff(district_id, {pk: values["STAFF"] for pk, values in added.items() if values.get("STAFF")})
    digests.begin(district_id, zip(added, (newcomer.digest for newcomer in newcomers), strict=True))
    _keep_history(((pk, ADDED, "", "added") for pk in added), author)


def rename_group(group: Group, name: str, author: Author) -> None:
    """The group has this name from now on; to its students that is a change of GROUPS, whose digests a trigger clears.

    Raises IntegrityError if another group of the school has the name.
    """
    pks = list(group.student_set.order_by("pk").values_list("pk", flat=True))
    records.locked(pks)
    before = _group_cells(pks)
    Group.objects.filter(pk=group.pk).update(name=name, name_key=name.casefold())
    after = _group_cells(pks)
    _keep_history(((pk, "GROUPS", before[pk], after[pk]) for pk in pks if before[pk] != after[pk]), author)


def _group_cells(pks: Sequence[int]) -> dict[int, str]:
    return {pk: record.values["GROUPS"] for pk, record in records.with_links(pks).items()}


def _empty_keys(revisions: Sequence[Revision]) -> None:
    """Take the names and usernames that change away first, so that students can pass theirs around in a ring.

    The blank in front makes the place holder one that no file can contain.
    """
    changing = {
        "username": [r.record.pk for r in revisions if "USERNAME" in r.new],
        "name_key": [r.record.pk for r in revisions if not r.new.keys().isdisjoint({*NAMES, "DOB"})],
    }
    with connection.cursor() as cursor:
        for column, pks in changing.items():
            if pks:
                cursor.execute(
                    f"UPDATE roster_student SET {column} = ' ' || id WHERE id {AMONG_NUMBERS}", [handed_over(pks)]
                )


def _assigned(revision: Revision, schools: Mapping[str, int]) -> dict[str, Any]:
    """Column of the database to its new value."""
    new = revision.new
    assigned: dict[str, Any] = {name.lower(): new[name] for name in OWN if name in new}
    if "SCHOOL_ID" in new:
        assigned["school_id"] = schools[new["SCHOOL_ID"]]
    if "PASSWORD" in new:
        assigned["password"] = new["PASSWORD"]
    if not new.keys().isdisjoint({*NAMES, "DOB"}):
        assigned["name_key"] = name_of(revision.record.values | new)[0]
    return assigned


def _inserted(district_id: int, schools: Mapping[str, int], values: Mapping[str, str]) -> list[Any]:
    own: dict[str, str | None] = {**_UNTOLD, **values}
    own["STUDENT_ID"] = own["STUDENT_ID"] or None
    return [
        district_id,
        schools[values["SCHOOL_ID"]],
        values.get("PASSWORD") or passwords.seal(passwords.random_password()),
        name_key(values["FIRST_NAME"], values["LAST_NAME"]),
        *_own_of(own),
    ]


def told_columns(revision: Revision) -> Iterator[str]:
    """The columns that the history will name: on a move a new group may have the name of the old one."""
    old = revision.record.values
    return (name for name, new in revision.new.items() if name in _SECRET or old.get(name, "") != new)


def _history(revision: Revision) -> Iterable[tuple[int, str, str, str]]:
    for name in sorted(told_columns(revision), key=PLACES.__getitem__):
        if name in _SECRET:
            yield revision.record.pk, name, "", "changed"
        else:
            yield revision.record.pk, name, revision.record.values.get(name, ""), revision.new[name]


def _keep_history(entries: Iterable[tuple[int, str, str, str]], author: Author) -> None:
    by = _by(author)
    bulk.insert("roster_change", _CHANGE, ((*entry, *by) for entry in entries))


def _by(author: Author) -> tuple[Any, ...]:
    return connection.ops.adapt_datetimefield_value(author.at), author.update_id, author.member_id


def _schools(district_id: int) -> dict[str, int]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT organization_id, id FROM roster_school WHERE district_id = %s", [district_id])
        return dict(cursor.fetchall())


def _link_groups(wanted: Iterable[tuple[int, int, str]]) -> None:
    """Put each student into these groups of this school; groups that are not there yet are made."""
    named = [(pk, school, names.split("&")) for pk, school, names in wanted]
    if not named:
        return
    groups = _groups({(school, name) for _, school, names in named for name in names})
    links = {(pk, groups[school, name.casefold()]) for pk, school, names in named for name in names}
    _link("groups", "group_id", links)


def _groups(wanted: set[tuple[int, str]]) -> dict[tuple[int, str], int]:
    """School and folded name to the group's key."""
    found = _groups_of({school for school, _ in wanted})
    missing = [(school, name, name.casefold()) for school, name in wanted if (school, name.casefold()) not in found]
    if not missing:
        return found
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO roster_group (school_id, name, name_key) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
            sorted(missing),
        )
    return _groups_of({school for school, _ in wanted})


def _groups_of(schools: set[int]) -> dict[tuple[int, str], int]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT school_id, name_key, id FROM roster_group WHERE school_id {AMONG_NUMBERS}",
            [handed_over(schools)],
        )
        return {(school, key): pk for school, key, pk in cursor.fetchall()}


def _link_staff(district_id: int, wanted: Mapping[int, str]) -> None:
    """Link each student with these members of the district; addresses it does not have are left out."""
    if not wanted:
        return
    emails = {email for cell in wanted.values() for email in cell.split("&")}
    members = member_keys(district_id, emails)
    links = {(pk, members[email]) for pk, cell in wanted.items() for email in cell.split("&") if email in members}
    _link("staff", "member_id", links)


def member_keys(district_id: int, emails: Iterable[str]) -> dict[str, int]:
    """Of these login e-mails, those of members of the district, and their keys."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT email, id FROM staff_member WHERE district_id = %s AND email {AMONG_TEXTS}",
            [district_id, handed_over(set(emails))],
        )
        return dict(cursor.fetchall())


def _link(kind: str, target: str, links: Iterable[tuple[int, int]]) -> None:
    bulk.insert(f"roster_student_{kind}", ("student_id", target), sorted(links))


def _unlink(kind: str, pks: Collection[int]) -> None:
    if pks:
        with connection.cursor() as cursor:
            cursor.execute(f"DELETE FROM roster_student_{kind} WHERE student_id {AMONG_NUMBERS}", [handed_over(pks)])
