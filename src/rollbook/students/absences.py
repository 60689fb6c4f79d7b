"""Store since when files in full sync don't name a student.

Everything runs inside the caller's transaction, which also holds the update that counts.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db import connection
from django.db.models import QuerySet

from rollbook.db import bulk
from rollbook.db.json_keys import IN_JSON_INTEGERS, as_json_parameter
from rollbook.students import snapshots
from rollbook.students.models import Absence, Student

_COLUMNS = ("student_id", "district_id", "since", "files", "last_update_id", "deactivated_at")
_FIELDS = ("student_id", "since", "files", "last_update__number", "last_update__received_at")
KEYS_PER_QUERY = 5000


@dataclass(frozen=True, slots=True)
class Counted:
    """How often an active student was missing so far.

    Attributes:
        student: The student's ID in the database.
        since: The day of the first file without the student.
        files: The number of such files, at most one a day.
        number: The number of the update that counted last.
        received_at: When its file was received.
    """

    student: int
    since: date
    files: int
    number: int
    received_at: datetime


@dataclass(frozen=True, slots=True)
class NewCount:
    """What is stored of a missing student."""

    student: int
    since: date
    files: int


def counted(district_id: int, students: Collection[int] | None = None) -> dict[int, Counted]:
    """Return how often each missing student of a district was missing, by student.

    Args:
        district_id: The district.
        students: Whom to look up, a few thousand at most; None: all.
    """
    missing = Absence.objects.filter(district=district_id, deactivated_at=None)
    if students is not None:
        missing = missing.filter(student__in=students)
    return {row[0]: Counted(*row) for row in missing.values_list(*_FIELDS).iterator()}


def of_student(student: int) -> Absence | None:
    """Return the absence of a student, or None."""
    return Absence.objects.filter(student=student).first()


def deactivated(students: Collection[int]) -> set[int]:
    """Return which of these students are inactive because files didn't name them."""
    if not students:
        return set()
    found = Absence.objects.filter(student__in=students, deactivated_at__isnull=False)
    return set(found.values_list("student_id", flat=True))


def active(students: Collection[int]) -> set[int]:
    """Lock these students, and return those who are active."""
    snapshots.lock_versions(students)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT id FROM students_student WHERE id {IN_JSON_INTEGERS} AND status = 'active'",
            [as_json_parameter(students)],
        )
        return {student for (student,) in cursor.fetchall()}


def write(
    district_id: int,
    update_id: int,
    counts: Iterable[NewCount],
    deactivated_at: datetime | None = None,
) -> None:
    """Replace the absences of these students by others.

    Args:
        district_id: The district.
        update_id: The update that counts.
        counts: What is to be stored of each student.
        deactivated_at: When the update has deactivated them; None: they are active.
    """
    wanted = list(counts)
    remove([count.student for count in wanted])
    days = {count.since for count in wanted}
    since = {day: connection.ops.adapt_datefield_value(day) for day in days}
    at = deactivated_at and connection.ops.adapt_datetimefield_value(deactivated_at)
    rows = (
        (count.student, district_id, since[count.since], count.files, update_id, at)
        for count in wanted
    )
    bulk.insert("students_absence", _COLUMNS, rows)


def remove(students: Sequence[int]) -> None:
    """Remove the absences of these students."""
    for start in range(0, len(students), KEYS_PER_QUERY):
        bulk.delete(Absence, "student_id", students[start : start + KEYS_PER_QUERY])


def names(students: Collection[int]) -> "QuerySet[Student]":
    """Return these students with their schools."""
    return Student.objects.filter(pk__in=students).select_related("school")
