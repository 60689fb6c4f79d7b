"""An absence ends when anything else changes the status of the student."""

from datetime import UTC, date, datetime

import pytest

from rollbook.districts.models import District
from rollbook.students import absences
from rollbook.students.absences import NewCount
from rollbook.students.models import Absence, Student
from tests.updates.night import a_class, enroll, last

AT = datetime(2026, 9, 3, tzinfo=UTC)


@pytest.fixture
def student(maple: District) -> Student:
    """A student who is missing since September 1."""
    enroll(maple, a_class(2))
    found = Student.objects.earliest("pk")
    absences.write(maple.pk, last(maple).pk, [NewCount(found.pk, date(2026, 9, 1), 2)])
    return found


def test_a_missing_student_who_is_deactivated_is_no_longer_missing(student: Student) -> None:
    Student.objects.filter(pk=student.pk).update(status="inactive")
    assert not Absence.objects.exists()


def test_a_student_who_is_active_again_starts_anew(student: Student, maple: District) -> None:
    Student.objects.filter(pk=student.pk).update(status="inactive")
    absences.write(maple.pk, last(maple).pk, [NewCount(student.pk, date(2026, 9, 1), 3)], AT)
    assert absences.deactivated([student.pk]) == {student.pk}
    assert absences.counted(maple.pk) == {}
    Student.objects.filter(pk=student.pk).update(status="active")
    assert not Absence.objects.exists()


def test_other_changes_leave_it(student: Student) -> None:
    Student.objects.filter(pk=student.pk).update(grade="5", status="active")
    assert Absence.objects.get().files == 2
