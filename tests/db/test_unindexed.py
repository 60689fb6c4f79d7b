"""A column whose index SQLite must not use."""

import pytest
from django.db.models import QuerySet

from rollbook.db.unindexed import Unindexed
from rollbook.districts.models import District
from rollbook.students.models import Student
from tests.updates.night import a_class, enroll


def students_of(district: District) -> "QuerySet[Student]":
    return Student.objects.alias(owner=Unindexed("district")).filter(owner=district.pk)


def test_results_are_the_same_as_with_the_column(maple: District, cedar: District) -> None:
    enroll(maple, a_class(3))
    enroll(cedar, a_class(2))
    assert set(students_of(maple)) == set(Student.objects.filter(district=maple))
    assert students_of(cedar).count() == 2


@pytest.mark.only_on("sqlite")
def test_sqlite_scans_the_table(maple: District) -> None:
    assert students_of(maple).filter(status="active").explain().endswith("SCAN students_student")
    assert "USING INDEX" in Student.objects.filter(district=maple, status="active").explain()


@pytest.mark.only_on("sqlite")
def test_one_student_is_still_looked_up_by_primary_key(maple: District) -> None:
    assert "INTEGER PRIMARY KEY" in students_of(maple).filter(pk=1).explain()
