"""Migrations set the keys of students and rows that were stored before."""

from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.db import connection

from rollbook.districts.models import District
from rollbook.students.models import Student
from rollbook.updates.models import StagedRow
from rollbook.updates.state_machine import Mode
from tests.updates.night import a_class, applying, enroll, send

students_migration: Any = import_module("rollbook.students.migrations.0003_identity")
version_migration: Any = import_module("rollbook.students.migrations.0006_touched")
updates_migration: Any = import_module("rollbook.updates.migrations.0003_identity")


def test_the_keys_of_all_students_are_set(maple: District, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(students_migration, "PAGE_SIZE", 2)
    enroll(maple, a_class(5))
    enroll(maple, "FIRST_NAME,LAST_NAME,DOB\nKeoni,Ka\u02bbimi,2014-02-03")
    keys = list(Student.objects.order_by("pk").values_list("name_key", "loose_key"))
    assert keys[-1][0] == "keoni\x1fka'imi"
    Student.objects.update(name_key="old", loose_key=0)
    students_migration.set_keys(apps, None)
    assert list(Student.objects.order_by("pk").values_list("name_key", "loose_key")) == keys


def test_the_versions_of_all_students_are_copied(maple: District) -> None:
    enroll(maple, a_class(3))
    versions = dict(zip(Student.objects.values_list("pk", flat=True), (0, 7, 2), strict=True))
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMPORARY TABLE students_rowfingerprint"  # a later migration drops it
            " (student_id integer, student_version integer)"
        )
        cursor.executemany(
            "INSERT INTO students_rowfingerprint VALUES (%s, %s)", list(versions.items())
        )
        cursor.execute(version_migration.COPY_VERSIONS)
        cursor.execute("DROP TABLE students_rowfingerprint")
    assert dict(Student.objects.values_list("pk", "version")) == versions


def test_the_keys_of_rows_that_wait_are_set(maple: District) -> None:
    enroll(maple, a_class(3))
    update = send(
        maple,
        "STUDENT_ID,FIRST_NAME,LAST_NAME,DOB,GRADE\ns000,Zo\u00eb,,,5\ns001,,,,5\nn1,Jos\u00e9,O'Neil,2014-02-03,5",
        Mode.ADD,
    )
    applying(update)
    rows = StagedRow.objects.filter(update=update).order_by("line")
    keys = list(rows.values_list("line", "claims_loose_key"))
    assert [key is None for _, key in keys] == [False, True, False]
    rows.update(claims_loose_key=None)
    updates_migration.set_loose_keys(apps, None)
    assert list(rows.values_list("line", "claims_loose_key")) == keys
