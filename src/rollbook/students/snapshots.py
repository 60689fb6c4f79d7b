"""Students as plain values, loaded in bulk: what a row is matched with and compared to."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from functools import cache
from operator import attrgetter
from typing import Any, NamedTuple

from django.db import connection

from rollbook.db.json_keys import IN_JSON_INTEGERS, as_json_parameter, lateral_lookup_sql
from rollbook.studentfile.columns import COLUMNS
from rollbook.studentfile.values.free_text import join_list
from rollbook.students.sql import named_query

_STORED_ELSEWHERE = {"SCHOOL_ID", "PASSWORD", "GROUPS", "STAFF"}
STUDENT_TABLE_COLUMNS = tuple(
    column.name for column in COLUMNS if column.name not in _STORED_ELSEWHERE
)
"""Columns stored in the table of students, where their names are in lower case."""

LOADED_COLUMNS = ("SCHOOL_ID", *STUDENT_TABLE_COLUMNS)
"""Columns of a ``StoredStudent``, in this order."""
_ID_POSITION = 3 + LOADED_COLUMNS.index("STUDENT_ID")
_DATE_AS_TEXT = {
    "sqlite": "student.dob || ''",  # without a type, so nothing turns it into a date
    "postgresql": "to_char(student.dob, 'YYYY-MM-DD')",
}[connection.vendor]
_COLUMNS = ", ".join(f"student.{name.lower()}" for name in STUDENT_TABLE_COLUMNS).replace(
    "student.dob", _DATE_AS_TEXT
)
_LOOKUPS = {
    column: lateral_lookup_sql(
        "students_student",
        "student",
        f"student.district_id = %s AND student.{column} = {key}",
    )
    for column, key in (
        ("student_id", "item.value"),
        ("username", "item.value"),
        ("loose_key", "CAST(item.value AS bigint)"),
    )
}
_LOAD_BY_ID = named_query("load_students_by_id", columns=_COLUMNS, in_ids=IN_JSON_INTEGERS)
_LOAD_BY_KEY = {
    column: named_query("load_students_by_key", columns=_COLUMNS, students=lookup)
    for column, lookup in _LOOKUPS.items()
}
_LOAD_ADDED = {
    column: named_query("load_added_by_key", dob=_DATE_AS_TEXT, students=_LOOKUPS[column])
    for column in ("student_id", "loose_key")
}
_FIND_HOLDERS = {
    "STUDENT_ID": f"SELECT student.student_id, student.id FROM {_LOOKUPS['student_id']}",
    "USERNAME": f"SELECT student.username, student.id FROM {_LOOKUPS['username']}",
}
_LOCK_VERSIONS = named_query("lock_versions", in_ids=IN_JSON_INTEGERS)
_LIST_DISTRICT = named_query("list_district")
_LOAD_GROUP_NAMES = named_query("load_group_names", in_ids=IN_JSON_INTEGERS)
_LOAD_STAFF_EMAILS = named_query("load_staff_emails", in_ids=IN_JSON_INTEGERS)


class AddedStudent(NamedTuple):
    """A student with what identifies the row that added it, and that row's update.

    Attributes:
        pk: The student's ID in the database.
        student_id: The STUDENT_ID.
        name_key: The name key.
        dob: The date of birth in ISO 8601.
        update_id: The ID of the update in the database; None if a member added the student.
    """

    pk: int
    student_id: str | None
    name_key: str
    dob: str
    update_id: int | None


StoredStudent = tuple[Any, ...]
"""ID in the database, version and password of a student, and the values of ``LOADED_COLUMNS``."""


class StudentSnapshot(NamedTuple):
    """One student as it is stored.

    Attributes:
        pk: The student's ID in the database.
        version: How often the student has changed.
        password: The stored password, see ``passwords``.
        values: Column to value as in a student file; ``""`` if there is none.
    """

    pk: int
    version: int
    password: str
    values: dict[str, str]


class LoadedStudents:
    """Students of a district by STUDENT_ID, each looked up once.

    Attributes:
        stored: The students that were found, by STUDENT_ID.
    """

    def __init__(self, district_id: int) -> None:
        self.stored: dict[str, StoredStudent] = {}
        self._district_id = district_id
        self._asked: set[str] = set()
        self._snapshots: dict[str, StudentSnapshot] = {}

    def load(self, student_ids: Collection[str]) -> None:
        """Load the students with these IDs that were not looked up yet."""
        new = set(student_ids) - self._asked
        self._asked |= new
        for student in _fetch_stored(_LOAD_BY_KEY["student_id"], new, self._district_id):
            self.stored[student[_ID_POSITION]] = student

    def get(self, student_id: str) -> StudentSnapshot | None:
        """Return a student that was loaded, always as the same object."""
        if student_id not in self.stored:
            return None
        if student_id not in self._snapshots:
            self._snapshots[student_id] = _snapshot(self.stored[student_id])
        return self._snapshots[student_id]


def load_by_id(pks: Collection[int]) -> dict[int, StudentSnapshot]:
    """Load students by their IDs in the database, without GROUPS and STAFF."""
    return {student.pk: student for student in _fetch(_LOAD_BY_ID, pks)}


def load_with_links(pks: Collection[int]) -> dict[int, StudentSnapshot]:
    """Load students by their IDs in the database, with GROUPS and STAFF."""
    students = load_by_id(pks)
    add_links(students.values())
    return students


def lock_versions(pks: Collection[int]) -> dict[int, int]:
    """Lock students until the caller's transaction ends, and return their versions by ID.

    Everything that changes students calls this first.
    """
    with connection.cursor() as cursor:
        cursor.execute(_LOCK_VERSIONS, [as_json_parameter(pks)])
        return dict(cursor.fetchall())


def load_by_column(
    district_id: int, column: str, values: Collection[str]
) -> dict[str, StudentSnapshot]:
    """Load students of a district by STUDENT_ID or USERNAME."""
    students = _fetch(_LOAD_BY_KEY[column.lower()], values, district_id)
    return {student.values[column]: student for student in students}


def load_by_loose_key(district_id: int, keys: Collection[int]) -> list[StudentSnapshot]:
    """Load students of a district by the loose key of their names and date of birth.

    Several may have the same. They are in the order of their IDs in the database.
    """
    students = _fetch(_LOAD_BY_KEY["loose_key"], keys, district_id)
    return sorted(students, key=attrgetter("pk"))


def load_added(district_id: int, column: str, keys: Collection[Any]) -> list[AddedStudent]:
    """Load who added the students of a district with these values of student_id or loose_key."""
    if not keys:
        return []
    with connection.cursor() as cursor:
        cursor.execute(_LOAD_ADDED[column], [as_json_parameter(keys), district_id])
        return [AddedStudent(*row) for row in cursor.fetchall()]


def find_key_holders(district_id: int, column: str, keys: Collection[str]) -> dict[str, int]:
    """Find the students that hold these unique keys.

    Args:
        district_id: The district whose students are searched.
        column: STUDENT_ID or USERNAME.
        keys: The keys to look up, such as words that somebody has typed.

    Returns:
        Key to the ID of the student that holds it.
    """
    storable = [key for key in keys if "\0" not in key]  # PostgreSQL refuses to compare the others
    if not storable:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_FIND_HOLDERS[column], [as_json_parameter(storable), district_id])
        return dict(cursor.fetchall())


def list_district(district_id: int) -> list[int]:
    """Return the IDs of a district's students in the database, in the order of STUDENT_ID.

    Those without a STUDENT_ID come last.
    """
    with connection.cursor() as cursor:
        cursor.execute(_LIST_DISTRICT, [district_id])
        return [pk for (pk,) in cursor.fetchall()]


def iter_students(pks: Sequence[int], size: int = 2000) -> Iterable[list[StudentSnapshot]]:
    """Iterate over students with GROUPS and STAFF in this order, in pages of ``size``.

    Those who are no longer there are left out.
    """
    for start in range(0, len(pks), size):
        page = pks[start : start + size]
        students = load_with_links(page)
        yield [students[pk] for pk in page if pk in students]


def add_links(students: Collection[StudentSnapshot]) -> None:
    """Add GROUPS and STAFF to each student's values."""
    pks = [student.pk for student in students]
    groups, staff = load_groups(pks), load_staff(pks)
    for student in students:
        student.values["GROUPS"] = groups.get(student.pk, "")
        student.values["STAFF"] = staff.get(student.pk, "")


def load_groups(pks: Collection[int]) -> dict[int, str]:
    """Return the GROUPS of students by their IDs in the database, if they have any."""
    return _load_links(_LOAD_GROUP_NAMES, pks)


def load_staff(pks: Collection[int]) -> dict[int, str]:
    """Return the STAFF of students by their IDs in the database, if they have any."""
    return _load_links(_LOAD_STAFF_EMAILS, pks)


def _fetch(query: str, keys: Collection[Any], *parameters: int) -> Iterable[StudentSnapshot]:
    return map(_snapshot, _fetch_stored(query, keys, *parameters))


def _fetch_stored(query: str, keys: Collection[Any], *parameters: int) -> list[StoredStudent]:
    if not keys:
        return []
    with connection.cursor() as cursor:
        cursor.execute(query, [as_json_parameter(keys), *parameters])
        stored: list[StoredStudent] = cursor.fetchall()
        return stored


def _snapshot(student: StoredStudent) -> StudentSnapshot:
    pk, version, password, *stored = student
    values = dict(zip(LOADED_COLUMNS, stored, strict=True))
    values["STUDENT_ID"] = values["STUDENT_ID"] or ""
    return StudentSnapshot(pk, version, password, values)


def _load_links(query: str, pks: Collection[int]) -> dict[int, str]:
    """Return the names that a query finds for each student, as one list cell."""
    names_by_pk: defaultdict[int, list[str]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(query, [as_json_parameter(pks)])
        for pk, name in cursor.fetchall():
            names_by_pk[pk].append(name)
    join = cache(join_list)  # many students have the same groups
    return {pk: join(tuple(names)) for pk, names in names_by_pk.items()}
