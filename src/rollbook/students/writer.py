"""Apply changes to students in bulk, record the history, move links on transfer.

Nothing else writes students. Everything here runs inside the caller's transaction, so that a
change, its history and its outcome are committed together.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter
from typing import Any, NamedTuple

from django.db import connection

from rollbook.db import bulk
from rollbook.db.json_keys import IN_JSON_INTEGERS, IN_JSON_TEXTS, as_json_parameter
from rollbook.studentfile.columns import COLUMNS
from rollbook.students import fingerprints as students_fingerprints
from rollbook.students import links, passwords, snapshots
from rollbook.students.models import DEFAULT_GROUP, Group, Student
from rollbook.students.name_keys import name_and_dob, name_key
from rollbook.students.snapshots import STUDENT_TABLE_COLUMNS, StudentSnapshot
from rollbook.students.sql import named_query
from rollbook.students.usernames import Usernames

NAME_COLUMNS = frozenset({"FIRST_NAME", "LAST_NAME"})
STUDENT_ADDED = "STUDENT"  # the field of the history's entry for a student who was added

# Columns that are neither a key nor a link, nor part of one.
SIMPLE_COLUMNS = frozenset(STUDENT_TABLE_COLUMNS) - {
    "STUDENT_ID",
    "USERNAME",
    "DOB",
    *NAME_COLUMNS,
} | {"PASSWORD"}

COLUMN_ORDER = {
    column.name: place for place, column in enumerate(COLUMNS)
}  # in the documented order

HistoryEntry = tuple[int, str, str, str]
"""A student's ID, the field, its old value and its new value."""

_NAME_AND_DOB = NAME_COLUMNS | {"DOB"}
_NEW_STUDENT_DEFAULTS = dict.fromkeys(STUDENT_TABLE_COLUMNS, "") | {"STATUS": "active"}
_INSERTED_COLUMNS = [
    "id",
    "district_id",
    "school_id",
    "password",
    "name_key",
    *map(str.lower, STUDENT_TABLE_COLUMNS),
]
_HISTORY_COLUMNS = ("student_id", "field", "old", "new", "changed_at", "update_id", "member_id")
_own_values = itemgetter(*STUDENT_TABLE_COLUMNS)

_SECRET_COLUMNS = frozenset(column.name for column in COLUMNS if column.secret)
_SECRET_NAMES = ", ".join(map(repr, sorted(_SECRET_COLUMNS)))
_APPLY_SIMPLE_CHANGES = named_query("apply_simple_changes")
_SIMPLE_CHANGE_ASSIGNMENT = {
    name: named_query("simple_change_assignment", column=name.lower(), name=name)
    for name in sorted(SIMPLE_COLUMNS)
}
_RECORD_SIMPLE_CHANGES = named_query("record_simple_changes", secret_columns=_SECRET_NAMES)


@dataclass(frozen=True, slots=True)
class ChangeAuthor:
    """Who made a change, and when: an update, a member, or an update that a member started."""

    update_id: int | None
    member_id: int | None
    at: datetime


@dataclass(frozen=True, slots=True)
class StudentChange:
    """A change of any columns of one student.

    Attributes:
        record: The student before the change.
        new: Column to new value, for the columns that change; a PASSWORD is hashed already.
        digest: The fingerprint of the row that contains all of this; None if there is none.
    """

    record: StudentSnapshot
    new: dict[str, str]
    digest: int | None = None


class SimpleChange(NamedTuple):
    """A change of simple columns (``PLAIN``) only, which needs no look at the student.

    Attributes:
        student: The student's ID in the database.
        changes: JSON object of column to old and new value; a PASSWORD is hashed already.
        digest: As in ``Revision``.
    """

    student: int
    changes: str
    digest: int | None


@dataclass(frozen=True, slots=True)
class NewStudent:
    """A student to add.

    Attributes:
        values: Column to value; a PASSWORD is hashed already.
        digest: As in ``Revision``.
    """

    values: Mapping[str, str]
    digest: int | None = None


def apply_changes(
    district_id: int, revisions: Sequence[StudentChange], author: ChangeAuthor
) -> None:
    """Apply changes of any columns.

    The caller has made sure that no student outside of ``revisions`` holds a unique key that one of
    them takes. Among themselves the students may pass keys on in any order, also in a ring.
    """
    if not revisions:
        return
    schools = _schools(district_id)
    _release_unique_keys(revisions)
    _write_columns(revisions, schools)
    _write_groups(revisions, schools)
    _write_staff(district_id, revisions)
    # After the links, because removing a link clears the fingerprint.
    students_fingerprints.replace((revision.record.pk, revision.digest) for revision in revisions)
    entries = (entry for revision in revisions for entry in _history(revision))
    _record_history(entries, author)


def apply_simple_changes(
    columns: Iterable[str], revisions: Sequence[SimpleChange], author: ChangeAuthor
) -> None:
    """Apply changes of exactly these columns to students who have not changed since they were read.

    The changes are passed to the database as the JSON they were staged as, which takes it apart.
    """
    changes = ",".join(f"[{revision.student},{revision.changes}]" for revision in revisions)
    parameter = f"[{changes}]"
    assignments = ", ".join(_SIMPLE_CHANGE_ASSIGNMENT[column] for column in columns)
    statement = _APPLY_SIMPLE_CHANGES.replace("{assignments}", assignments)
    with connection.cursor() as cursor:
        cursor.execute(statement, [parameter])
        cursor.execute(_RECORD_SIMPLE_CHANGES, [*_author_values(author), parameter])
    students_fingerprints.replace((revision.student, revision.digest) for revision in revisions)


def add_students(district_id: int, newcomers: Sequence[NewStudent], author: ChangeAuthor) -> None:
    """Add students; those without a username or password get generated ones."""
    if not newcomers:
        return
    schools = _schools(district_id)
    students = _with_usernames(district_id, newcomers)
    pks = bulk.new_keys("students_student", len(students))
    added = dict(zip(pks, students, strict=True))
    rows = ([pk, *_inserted(district_id, schools, values)] for pk, values in added.items())
    bulk.insert("students_student", _INSERTED_COLUMNS, rows)
    links.add_to_groups(
        (pk, schools[values["SCHOOL_ID"]], values.get("GROUPS") or DEFAULT_GROUP)
        for pk, values in added.items()
    )
    staff = {pk: values["STAFF"] for pk, values in added.items() if values.get("STAFF")}
    _link_staff(district_id, staff)
    fingerprints = (newcomer.digest for newcomer in newcomers)
    students_fingerprints.insert(district_id, zip(pks, fingerprints, strict=True))
    _record_history(((pk, STUDENT_ADDED, "", "added") for pk in pks), author)


def rename_group(group: Group, name: str, author: ChangeAuthor) -> None:
    """Rename a group, which is a change of GROUPS for its students; a trigger clears fingerprints.

    Raises:
        IntegrityError: Another group of the school has the name.
    """
    pks = list(group.student_set.order_by("pk").values_list("pk", flat=True))
    snapshots.lock_versions(pks)
    before = _group_cells(pks)
    Group.objects.filter(pk=group.pk).update(name=name, name_key=name.casefold())
    after = _group_cells(pks)
    entries = ((pk, "GROUPS", before[pk], after[pk]) for pk in pks if before[pk] != after[pk])
    _record_history(entries, author)


def changed_columns(revision: StudentChange) -> Iterator[str]:
    """Iterate over the columns that get an entry in the history.

    Not every column of ``new`` does: after a transfer a new group may have the old one's name.
    """
    old = revision.record.values
    for name, value in revision.new.items():
        if name in _SECRET_COLUMNS or old.get(name, "") != value:
            yield name


def member_ids_by_email(district_id: int, emails: Iterable[str]) -> dict[str, int]:
    """Look up which of these emails belong to members of the district; return email to ID."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT email, id FROM accounts_member WHERE district_id = %s AND email {IN_JSON_TEXTS}",
            [district_id, as_json_parameter(set(emails))],
        )
        return dict(cursor.fetchall())


# Columns of the student's own row


def _release_unique_keys(revisions: Sequence[StudentChange]) -> None:
    """Replace usernames and names that change by placeholders, so that students can swap them.

    A placeholder starts with a blank, so no value of a file is equal to it.
    """
    changing = {
        "username": [r.record.pk for r in revisions if "USERNAME" in r.new],
        "name_key": [r.record.pk for r in revisions if _changes_name_or_dob(r)],
    }
    with connection.cursor() as cursor:
        for column, pks in changing.items():
            if pks:
                cursor.execute(
                    f"UPDATE students_student SET {column} = ' ' || id WHERE id {IN_JSON_INTEGERS}",
                    [as_json_parameter(pks)],
                )


def _changes_name_or_dob(revision: StudentChange) -> bool:
    return not revision.new.keys().isdisjoint(_NAME_AND_DOB)


def _write_columns(revisions: Sequence[StudentChange], schools: Mapping[str, int]) -> None:
    """Write the students' own rows, one statement for all who change in the same columns."""
    by_columns: defaultdict[tuple[str, ...], list[tuple[Any, ...]]] = defaultdict(list)
    for revision in revisions:
        assigned = _assigned(revision, schools)
        if assigned:
            by_columns[tuple(assigned)].append((*assigned.values(), revision.record.pk))
    for columns, rows in by_columns.items():
        bulk.update(Student, columns, rows)


def _assigned(revision: StudentChange, schools: Mapping[str, int]) -> dict[str, Any]:
    """Return the database's columns that change, with their new values."""
    new = revision.new
    assigned: dict[str, Any] = {
        name.lower(): new[name] for name in STUDENT_TABLE_COLUMNS if name in new
    }
    if "SCHOOL_ID" in new:
        assigned["school_id"] = schools[new["SCHOOL_ID"]]
    if "PASSWORD" in new:
        assigned["password"] = new["PASSWORD"]
    if _changes_name_or_dob(revision):
        assigned["name_key"] = name_and_dob(revision.record.values | new)[0]
    return assigned


def _with_usernames(district_id: int, newcomers: Sequence[NewStudent]) -> list[dict[str, str]]:
    """Return the new students' values, each with a username."""
    given = {newcomer.values.get("USERNAME", "") for newcomer in newcomers} - {""}
    usernames = Usernames(district_id, given)
    students = []
    for newcomer in newcomers:
        values = newcomer.values
        username = values.get("USERNAME") or usernames.make(values)
        students.append({**values, "USERNAME": username})
    return students


def _inserted(district_id: int, schools: Mapping[str, int], values: Mapping[str, str]) -> list[Any]:
    """Return the values of ``_INSERTED_COLUMNS`` for a new student, without the ID."""
    own: dict[str, str | None] = {**_NEW_STUDENT_DEFAULTS, **values}
    own["STUDENT_ID"] = own["STUDENT_ID"] or None
    return [
        district_id,
        schools[values["SCHOOL_ID"]],
        values.get("PASSWORD") or passwords.hash_for_import(passwords.random_password()),
        name_key(values["FIRST_NAME"], values["LAST_NAME"]),
        *_own_values(own),
    ]


def _schools(district_id: int) -> dict[str, int]:
    """Return the IDs of the district's schools in the database, by organization ID."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT organization_id, id FROM districts_school WHERE district_id = %s", [district_id]
        )
        return dict(cursor.fetchall())


# History


def _history(revision: StudentChange) -> Iterator[HistoryEntry]:
    pk, old, new = revision.record.pk, revision.record.values, revision.new
    for name in sorted(changed_columns(revision), key=COLUMN_ORDER.__getitem__):
        if name in _SECRET_COLUMNS:
            yield pk, name, "", "changed"
        else:
            yield pk, name, old.get(name, ""), new[name]


def _record_history(entries: Iterable[HistoryEntry], author: ChangeAuthor) -> None:
    by = _author_values(author)
    bulk.insert("students_change", _HISTORY_COLUMNS, ((*entry, *by) for entry in entries))


def _author_values(author: ChangeAuthor) -> tuple[Any, ...]:
    at = connection.ops.adapt_datetimefield_value(author.at)
    return at, author.update_id, author.member_id


# Links with groups and staff


def _write_groups(revisions: Sequence[StudentChange], schools: Mapping[str, int]) -> None:
    regrouped = [revision for revision in revisions if "GROUPS" in revision.new]
    links.remove_groups([revision.record.pk for revision in regrouped])
    links.add_to_groups(_group_links(regrouped, schools))


def _group_links(
    regrouped: Iterable[StudentChange], schools: Mapping[str, int]
) -> Iterator[tuple[int, int, str]]:
    for revision in regrouped:
        school = (revision.record.values | revision.new)["SCHOOL_ID"]
        yield revision.record.pk, schools[school], revision.new["GROUPS"]


def _group_cells(pks: Sequence[int]) -> dict[int, str]:
    found = snapshots.load_with_links(pks)
    return {pk: record.values["GROUPS"] for pk, record in found.items()}


def _write_staff(district_id: int, revisions: Sequence[StudentChange]) -> None:
    staff = {r.record.pk: r.new["STAFF"] for r in revisions if "STAFF" in r.new}
    links.remove_staff(staff)
    _link_staff(district_id, staff)


def _link_staff(district_id: int, wanted: Mapping[int, str]) -> None:
    """Link students with members of the district; unknown emails are left out.

    Args:
        district_id: The district of the students and the members.
        wanted: A student's ID to the members' emails as one cell.
    """
    if not wanted:
        return
    named = [(pk, email) for pk, cell in wanted.items() for email in cell.split("&")]
    members = member_ids_by_email(district_id, {email for _, email in named})
    links.add_staff({(pk, members[email]) for pk, email in named if email in members})
