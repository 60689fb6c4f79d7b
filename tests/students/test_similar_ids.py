"""IDs that are equal except for zeros or case are found by an index."""

import pytest
from django.db import connection

from rollbook.db import planner_stats
from rollbook.db.json_keys import as_json_parameter
from rollbook.districts.models import District
from rollbook.students import similar_ids, snapshots
from tests.updates.night import a_class, enroll


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("student_id", "folded"),
    [("00101", "101"), ("0", ""), ("000", ""), ("A-7", "a-7"), ("0aB0", "ab0"), ("x", "x")],
)
def test_the_database_folds_as_python_does(student_id: str, folded: str) -> None:
    assert similar_ids.fold(student_id) == folded
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {similar_ids.folded_sql('%s')}", [student_id])
        assert cursor.fetchone() == (folded,)


def test_of_several_the_first_one_is_found(maple: District, cedar: District) -> None:
    header = "STUDENT_ID,FIRST_NAME,LAST_NAME,DOB\n"
    enroll(maple, f"{header}a1,Zoe,Fox,2012-05-13")
    enroll(cedar, f"{header}A1,Zoe,Fox,2012-05-13")
    assert similar_ids.find(maple.pk, {"00A1", "0A1", "a2"}) == {"a1": "a1"}
    assert similar_ids.find(maple.pk, set()) == {}


@pytest.mark.parametrize("is_analyzed", [False, True])
@pytest.mark.parametrize(
    ("query", "key", "index"),
    [
        (similar_ids._FIND, "x", "student_folded_id"),
        (snapshots._LOAD_BY_KEY["loose_key"], 1, "student_loose_key"),
    ],
)
def test_students_are_found_by_an_index(
    maple: District, query: str, key: object, index: str, is_analyzed: bool
) -> None:
    enroll(maple, a_class(300))
    if is_analyzed:
        planner_stats.analyze("students_student")
    explain = {"sqlite": "EXPLAIN QUERY PLAN", "postgresql": "EXPLAIN"}[connection.vendor]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"{explain} {query}", [as_json_parameter([key]), maple.pk])
        plan = "\n".join(str(row[-1]) for row in cursor.fetchall())
    assert index in plan
