"""Apply changes to students in bulk, record the history, and replace links on transfer.

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

from rollbook.accounts.models import Member
from rollbook.db import bulk
from rollbook.db.json_keys import IN_JSON_INTEGERS, IN_JSON_TEXTS, as_json_parameter
from rollbook.studentfile.columns import COLUMNS
from rollbook.studentfile.values.free_text import join_list, split_list
from rollbook.students import links, passwords, snapshots
from rollbook.students.models import DEFAULT_GROUP, Group, Student
from rollbook.students.name_keys import loose_key, name_key
from rollbook.students.snapshots import STUDENT_TABLE_COLUMNS, StudentSnapshot
from rollbook.students.sql import named_query
from rollbook.students.usernames import Usernames

NAME_COLUMNS = frozenset({"FIRST_NAME", "LAST_NAME"})
STUDENT_ADDED = "STUDENT"
"""The field of the history entry for a student who was added."""

# Columns that are neither a key nor a link, nor part of one.
SIMPLE_COLUMNS = frozenset(STUDENT_TABLE_COLUMNS) - {
    "STUDENT_ID",
    "USERNAME",
    "DOB",
    *NAME_COLUMNS,
} | {"PASSWORD"}

COLUMN_ORDER = {column.name: position for position, column in enumerate(COLUMNS)}
"""Column to its position in the documentation."""

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
    "loose_key",
    *map(str.lower, STUDENT_TABLE_COLUMNS),
]
_HISTORY_COLUMNS = ("student_id", "field", "old", "new", "changed_at", "update_id", "member_id")
_table_values = itemgetter(*STUDENT_TABLE_COLUMNS)

_SECRET_COLUMNS = frozenset(column.name for column in COLUMNS if column.secret)
_SECRET_NAMES = ", ".join(map(repr, sorted(_SECRET_COLUMNS)))
_APPLY_SIMPLE_CHANGES = named_query("apply_simple_changes")
_SIMPLE_CHANGE_ASSIGNMENT = {
    name: named_query("simple_change_assignment", column=name.lower(), name=name)
    for name in sorted(SIMPLE_COLUMNS)
}
_RECORD_ADDED = named_query("record_added", in_ids=IN_JSON_INTEGERS)
_RECORD_SIMPLE_CHANGES = named_query("record_simple_changes", secret_columns=_SECRET_NAMES)


@dataclass(frozen=True, slots=True)
class ChangeAuthor:
    """An update, a member, or an update started by a member; and when they made the change."""

    update_id: int | None
    member_id: int | None
    at: datetime


@dataclass(frozen=True, slots=True)
class StudentChange:
    """A change of any columns of one student.

    Attributes:
        student: The student before the change.
        new: Column to new value, for the columns that change; PASSWORD contains the hash.
        fingerprint: That of the row; None if it had a problem or isn't the whole change.
    """

    student: StudentSnapshot
    new: dict[str, str]
    fingerprint: int | None = None


class NewStudent(NamedTuple):
    """A student to add.

    Attributes:
        values: Column to value; PASSWORD contains the hash.
        fingerprint: As in ``StudentChange``.
        name_key: The name key of these values, if it's known; see ``name_keys``.
        loose_key: The loose key of these values, if it's known.
    """

    values: Mapping[str, str]
    fingerprint: int | None = None
    name_key: str | None = None
    loose_key: int | None = None


def apply_changes(district_id: int, changes: Sequence[StudentChange], author: ChangeAuthor) -> None:
    """Apply changes of any columns.

    The caller must make sure that no other student holds a unique key that one of these students
    gets. Among themselves, the students may exchange keys in any way, including cycles.
    """
    if not changes:
        return
    schools = school_keys(district_id)
    _release_unique_keys(changes)
    _write_columns(changes, schools)
    _write_groups(changes, schools)
    _write_staff(district_id, changes)
    entries = (entry for change in changes for entry in _history(change))
    _record_history(entries, author)


def apply_simple_changes(
    columns: Iterable[str], changes: Mapping[int, str], author: ChangeAuthor
) -> None:
    """Apply changes of exactly these columns to students who have not changed since they were read.

    The changes are passed to the database as the JSON in which they were staged, and the database
    unpacks it.

    Args:
        columns: Some of ``SIMPLE_COLUMNS``.
        changes: A student's ID in the database to a JSON object of column to old and new value;
            PASSWORD contains hashes.
        author: Who makes the changes.
    """
    items = ",".join(f'"{student}":{values}' for student, values in changes.items())
    parameter = f"{{{items}}}"
    assignments = ", ".join(_SIMPLE_CHANGE_ASSIGNMENT[column] for column in columns)
    statement = _APPLY_SIMPLE_CHANGES.replace("{assignments}", assignments)
    with connection.cursor() as cursor:
        cursor.execute(statement, [parameter])
        cursor.execute(_RECORD_SIMPLE_CHANGES, [*_author_values(author), parameter])


def add_students(
    district_id: int, new_students: Sequence[NewStudent], author: ChangeAuthor
) -> list[int]:
    """Add students; those without a username or password get generated ones.

    Returns:
        Their IDs in the database.
    """
    if not new_students:
        return []
    schools = school_keys(district_id)
    students = _with_usernames(district_id, new_students)
    pks = bulk.new_keys("students_student", len(students))
    rows = (
        [pk, district_id, schools[student.values["SCHOOL_ID"]], *_inserted_values(student)]
        for pk, student in zip(pks, students, strict=True)
    )
    bulk.insert("students_student", _INSERTED_COLUMNS, rows, is_sorted=False)
    added = {pk: student.values for pk, student in zip(pks, students, strict=True)}
    memberships = [
        (pk, schools[values["SCHOOL_ID"]], values.get("GROUPS") or DEFAULT_GROUP)
        for pk, values in added.items()
    ]
    links.add(links.GROUPS, links.group_links(memberships))
    staff = {pk: values["STAFF"] for pk, values in added.items() if values.get("STAFF")}
    links.add(links.STAFF, _staff_links(district_id, staff))
    with connection.cursor() as cursor:
        cursor.execute(_RECORD_ADDED, [*_author_values(author), as_json_parameter(pks)])
    return pks


def rename_group(group: Group, name: str, author: ChangeAuthor) -> None:
    """Rename a group, which is a change of GROUPS for its students.

    Raises:
        IntegrityError: Another group of the school has the name.
    """
    pks = list(group.student_set.order_by("pk").values_list("pk", flat=True))
    snapshots.lock_versions(pks)
    before = snapshots.load_groups(pks)
    Group.objects.filter(pk=group.pk).update(name=name, name_key=name.casefold())
    after = snapshots.load_groups(pks)
    entries = ((pk, "GROUPS", before[pk], after[pk]) for pk in pks if before[pk] != after[pk])
    _record_history(entries, author)


def record_new_email(member: Member, old_email: str, author: ChangeAuthor) -> None:
    """Record that the email of a staff member has changed, which is a change of STAFF.

    A trigger has counted up the versions of the students who are linked with the member.
    """
    linked = Student.objects.filter(staff=member).order_by("pk")
    pks = list(linked.values_list("pk", flat=True))
    entries: list[HistoryEntry] = []
    for pk, student in snapshots.load_with_links(pks).items():
        new = student.values["STAFF"]
        emails = [old_email if email == member.email else email for email in split_list(new)]
        entries.append((pk, "STAFF", join_list(sorted(emails)), new))
    _record_history(entries, author)


def changed_columns(change: StudentChange) -> Iterator[str]:
    """Iterate over the columns that get an entry in the history.

    A column of ``new`` doesn't if its value is the same: after a transfer, the new group may have
    the name of the old one.
    """
    old = change.student.values
    for name, value in change.new.items():
        if name in _SECRET_COLUMNS or old.get(name, "") != value:
            yield name


# The table of students


def _release_unique_keys(changes: Sequence[StudentChange]) -> None:
    """Replace usernames that others of these students get by placeholders, so that they can swap.

    A placeholder starts with a space, so it can't equal a value of a file.
    """
    renamed = [change for change in changes if "USERNAME" in change.new]
    claimed = {change.new["USERNAME"] for change in renamed}
    pks = [each.student.pk for each in renamed if each.student.values["USERNAME"] in claimed]
    if not pks:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE students_student SET username = ' ' || id WHERE id {IN_JSON_INTEGERS}",
            [as_json_parameter(pks)],
        )


def _write_columns(changes: Sequence[StudentChange], schools: Mapping[str, int]) -> None:
    """Update the table of students, one statement for all who change in the same columns."""
    by_columns: defaultdict[tuple[str, ...], list[tuple[Any, ...]]] = defaultdict(list)
    for change in changes:
        assignments = _assignments(change, schools)
        row = (*assignments.values(), change.student.pk)
        by_columns[tuple(assignments)].append(row)
    for columns, rows in by_columns.items():
        bulk.update(Student, columns, rows)


def _assignments(change: StudentChange, schools: Mapping[str, int]) -> dict[str, Any]:
    """Return the columns of the table that change, with their new values.

    The student is locked since the version was read.
    """
    new = change.new
    assignments: dict[str, Any] = {
        name.lower(): new[name] for name in STUDENT_TABLE_COLUMNS if name in new
    }
    if new.get("STUDENT_ID") == "":
        assignments["student_id"] = None
    if "SCHOOL_ID" in new:
        assignments["school_id"] = schools[new["SCHOOL_ID"]]
    if "PASSWORD" in new:
        assignments["password"] = new["PASSWORD"]
    if not new.keys().isdisjoint(_NAME_AND_DOB):
        values = change.student.values | new
        assignments["name_key"] = name_key(values["FIRST_NAME"], values["LAST_NAME"])
        assignments["loose_key"] = loose_key(values)
    assignments["version"] = change.student.version + 1
    return assignments


def _with_usernames(district_id: int, new_students: Sequence[NewStudent]) -> list[NewStudent]:
    """Return new students, each with a username."""
    reserved = {student.values.get("USERNAME", "") for student in new_students} - {""}
    usernames = Usernames(district_id, reserved)
    students = []
    for student in new_students:
        values = student.values
        if not values.get("USERNAME"):
            student = student._replace(values={**values, "USERNAME": usernames.make(values)})
        students.append(student)
    return students


def _inserted_values(student: NewStudent) -> list[Any]:
    """Return the values of ``_INSERTED_COLUMNS`` for a new student, from the password on."""
    values, name, loose = student.values, student.name_key, student.loose_key
    own_values: dict[str, str | None] = {**_NEW_STUDENT_DEFAULTS, **values}
    own_values["STUDENT_ID"] = own_values["STUDENT_ID"] or None
    password = values.get("PASSWORD")
    if not password:
        password = passwords.hash_for_import(passwords.random_password())
    if name is None or loose is None:
        name, loose = name_key(values["FIRST_NAME"], values["LAST_NAME"]), loose_key(values)
    return [password, name, loose, *_table_values(own_values)]


def school_keys(district_id: int) -> dict[str, int]:
    """Return the IDs of the district's schools in the database, by School ID."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT organization_id, id FROM districts_school WHERE district_id = %s", [district_id]
        )
        return dict(cursor.fetchall())


# History


def _history(change: StudentChange) -> Iterator[HistoryEntry]:
    pk, old, new = change.student.pk, change.student.values, change.new
    for name in sorted(changed_columns(change), key=COLUMN_ORDER.__getitem__):
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


def _write_groups(changes: Sequence[StudentChange], schools: Mapping[str, int]) -> None:
    memberships = []
    for change in changes:
        if "GROUPS" in change.new:
            school = change.new.get("SCHOOL_ID", change.student.values["SCHOOL_ID"])
            memberships.append((change.student.pk, schools[school], change.new["GROUPS"]))
    students = [pk for pk, _, _ in memberships]
    links.replace(links.GROUPS, students, links.group_links(memberships))


def _write_staff(district_id: int, changes: Sequence[StudentChange]) -> None:
    staff = {change.student.pk: change.new["STAFF"] for change in changes if "STAFF" in change.new}
    links.replace(links.STAFF, staff, _staff_links(district_id, staff))


def _staff_links(district_id: int, staff: Mapping[int, str]) -> set[links.Link]:
    """Find the members of the district with whom students are linked; leave out unknown emails.

    Args:
        district_id: The district of the students and the members.
        staff: A student's ID to the members' emails as one cell.
    """
    if not staff:
        return set()
    pairs = [(pk, email) for pk, cell in staff.items() for email in split_list(cell)]
    members = _member_ids(district_id, {email for _, email in pairs})
    return {(pk, members[email]) for pk, email in pairs if email in members}


def _member_ids(district_id: int, emails: Iterable[str]) -> dict[str, int]:
    """Look up which of these emails belong to members of the district; return email to ID."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT email, id FROM accounts_member"
            f" WHERE district_id = %s AND email {IN_JSON_TEXTS}",
            [district_id, as_json_parameter(set(emails))],
        )
        return dict(cursor.fetchall())
