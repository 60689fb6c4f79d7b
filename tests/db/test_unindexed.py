"""A column that SQLite compares as it reads the table, and PostgreSQL as it sees fit."""

import pytest
from django.db.models import QuerySet

from rollbook.db.unindexed import Unindexed
from rollbook.districts.models import District
from rollbook.students.models import Student
from tests.updates.night import a_class, enroll


def of(district: District) -> "QuerySet[Student]":
    return Student.objects.alias(whose=Unindexed("district")).filter(whose=district.pk)


def test_it_finds_what_the_column_finds(maple: District, cedar: District) -> None:
    enroll(maple, a_class(3))
    enroll(cedar, a_class(2))
    assert set(of(maple)) == set(Student.objects.filter(district=maple))
    assert of(cedar).count() == 2


@pytest.mark.only_on("sqlite")
def test_sqlite_reads_the_table_as_it_lies(maple: District) -> None:
    assert of(maple).filter(status="active").explain().endswith("SCAN students_student")
    assert "USING INDEX" in Student.objects.filter(district=maple, status="active").explain()


@pytest.mark.only_on("sqlite")
def test_one_student_is_still_looked_up(maple: District) -> None:
    assert "INTEGER PRIMARY KEY" in of(maple).filter(pk=1).explain()
