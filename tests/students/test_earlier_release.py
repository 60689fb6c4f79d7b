"""Processes of the release before the manifest still run for some seconds after the migration.

What they execute is repeated here as it was then. The view that makes it possible is removed in the
next release, and this file with it.
"""

import json
from typing import Any

import pytest
from django.db import connection

from rollbook.db import bulk
from rollbook.districts.models import District
from rollbook.students import snapshots, touched
from rollbook.students.models import Student
from rollbook.updates.state_machine import Mode
from tests.updates.night import a_class, counts, enroll, last, run

pytestmark = pytest.mark.only_on("postgresql")

LOCK_VERSIONS = """
SELECT student_id, student_version FROM students_rowfingerprint
WHERE student_id = ANY(%s) ORDER BY student_id FOR NO KEY UPDATE"""
LOAD_FINGERPRINTS = """
SELECT fingerprint, student_id FROM students_rowfingerprint
WHERE district_id = %s AND fingerprint IS NOT NULL ORDER BY fingerprint"""
LOAD_STUDENTS = """
SELECT student.id, version.student_version FROM students_student student
JOIN students_rowfingerprint version ON version.student_id = student.id ORDER BY student.id"""
CHANGE = "UPDATE students_student SET grade = %s WHERE id = %s"
CHANGE_PASSWORD = "UPDATE students_student SET password = %s WHERE id = %s"
REPLACE = """
UPDATE students_rowfingerprint
SET fingerprint = (value ->> 1)::bigint, student_version = student_version + 1
FROM json_array_elements(%s) AS item(value) WHERE student_id = (value ->> 0)::bigint"""
CONFIRM = """
UPDATE students_rowfingerprint SET fingerprint = (value ->> 2)::bigint
FROM json_array_elements(%s) AS item(value)
WHERE student_id = (value ->> 0)::bigint AND student_version = (value ->> 1)::bigint"""
DELETE = "DELETE FROM students_rowfingerprint WHERE student_id = ANY(%s)"
FILE = a_class(4, GRADE="4")
COLUMNS = ("student_id", "district_id", "fingerprint", "student_version")


def execute(statement: str, *parameters: Any) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return cursor.fetchall() if cursor.description else []


@pytest.fixture
def students(maple: District) -> list[int]:
    enroll(maple, a_class(4))
    run(maple, FILE)
    return list(Student.objects.order_by("pk").values_list("pk", flat=True))


def touched_of(district: District) -> set[int]:
    return touched.find(district.pk, last(district).pk)


@pytest.mark.parametrize("statement", [CHANGE, CHANGE_PASSWORD])
def test_its_changes_count_up_the_version_and_touch_the_student(
    maple: District, students: list[int], statement: str
) -> None:
    first = students[0]
    assert execute(LOCK_VERSIONS, students[:2]) == [(pk, 0) for pk in students[:2]]
    execute(statement, "9", first)
    execute(REPLACE, json.dumps([[first, 17]]))
    assert snapshots.lock_versions(students[:2]) == {first: 1, students[1]: 0}
    assert execute(LOAD_STUDENTS) == [(pk, int(pk == first)) for pk in students]
    assert touched_of(maple) == {first}
    run(maple, FILE)
    assert Student.objects.get(pk=first).grade == "4"
    assert touched_of(maple) == set()


def test_it_sees_the_changes_of_this_release(maple: District, students: list[int]) -> None:
    run(maple, "STUDENT_ID,GRADE\ns001,7")
    assert execute(LOAD_STUDENTS) == [(pk, int(pk == students[1])) for pk in students]
    assert counts(run(maple, a_class(6), Mode.ADD))["added"] == 2
    assert len(execute(LOAD_STUDENTS)) == len(students) + 2


def test_it_knows_no_row_and_stores_no_fingerprint(maple: District, students: list[int]) -> None:
    assert execute(LOAD_FINGERPRINTS, maple.pk) == []
    execute(CONFIRM, json.dumps([[students[0], 0, 17]]))
    bulk.insert("students_rowfingerprint", COLUMNS, [(students[0], maple.pk, 17, 0)])
    assert execute(LOAD_FINGERPRINTS, maple.pk) == []
    execute(DELETE, students)
    assert execute(LOAD_STUDENTS) == [(pk, 0) for pk in students]
    assert touched_of(maple) == set()
