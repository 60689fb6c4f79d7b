"""Staged rows in the database."""

import json
from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rollbook.districts.models import District
from rollbook.students.models import Student
from rollbook.students.passwords import verify
from rollbook.updates.checking import staged_rows
from rollbook.updates.checking.staged_rows import NewStudentTuple
from rollbook.updates.models import StagedRow
from rollbook.updates.state_machine import Mode
from tests.updates.night import a_class, applying, enroll, send

KEYS = ("claims_student_id", "claims_username", "claims_name_key", "claims_dob")


@pytest.fixture(scope="module")
def enrolled(maple_once: District) -> None:
    enroll(
        maple_once,
        "STUDENT_ID,USERNAME,FIRST_NAME,LAST_NAME,DOB\n1,ann,Ann,Lee,2012-05-13\n,bob,Bob,Kim,2012-05-13",
    )


@pytest.fixture
def school(enrolled: None, maple: District) -> District:
    return maple


def staged(district: District, text: str, mode: Mode = Mode.UPDATE) -> list[StagedRow]:
    update = send(district, text, mode)
    applying(update)
    return list(StagedRow.objects.filter(update=update).order_by("line"))


@pytest.mark.parametrize(
    ("text", "takes"),
    [
        ("STUDENT_ID,GRADE\n1,5", (None, None, None, None)),
        ("STUDENT_ID,USERNAME\n1,annie", (None, "annie", None, None)),
        ("STUDENT_ID,FIRST_NAME\n1,Anna", (None, None, "anna\x1flee", date(2012, 5, 13))),
        ("STUDENT_ID,DOB\n1,2012-05-14", (None, None, "ann\x1flee", date(2012, 5, 14))),
        ("STUDENT_ID,FIRST_NAME\n1,ANN", (None, None, None, None)),
        ("STUDENT_ID,USERNAME\n2,bob", ("2", None, None, None)),
    ],
)
def test_a_row_claims_the_keys_that_its_student_does_not_hold_yet(
    school: District, text: str, takes: tuple[object, ...]
) -> None:
    [row] = staged(school, text)
    assert tuple(getattr(row, key) for key in KEYS) == takes


def test_a_new_student_claims_all_its_keys_and_is_last_without_a_username(
    school: District,
) -> None:
    named, nameless = staged(
        school,
        "STUDENT_ID,USERNAME,FIRST_NAME,LAST_NAME,DOB\n3,cleo,Cleo,Fox,2012-01-01\n,,Dan,Fox,2012-01-01",
        Mode.ADD,
    )
    assert tuple(getattr(named, key) for key in KEYS) == (
        "3",
        "cleo",
        "cleo\x1ffox",
        date(2012, 1, 1),
    )
    assert tuple(getattr(nameless, key) for key in KEYS) == (
        None,
        None,
        "dan\x1ffox",
        date(2012, 1, 1),
    )
    assert named.apply_order == 2
    assert nameless.apply_order > 1 << 40


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("STUDENT_ID,GRADE\n1,5", "GRADE"),
        ("RACE,STUDENT_ID,PASSWORD,GRADE\nWH,1,n3w-one,5", "PASSWORD,GRADE,RACE"),
        ("STUDENT_ID,FIRST_NAME,GRADE\n1,ANN,5", None),
        ("STUDENT_ID,GRADE,USERNAME\n1,5,annie", None),
        ("STUDENT_ID,GRADE,DOB\n1,5,2012-05-14", None),
        ("STUDENT_ID,GRADE,GROUPS\n1,5,Band", None),
        ("STUDENT_ID,GRADE,SCHOOL_ID\n1,5,200", None),
    ],
)
def test_a_row_stores_its_columns_if_all_of_them_are_simple(
    school: District, text: str, columns: str | None
) -> None:
    [row] = staged(school, text)
    assert row.simple_columns == columns


def test_a_row_is_staged_with_the_differences_and_a_hashed_password(school: District) -> None:
    [row] = staged(school, "STUDENT_ID,FIRST_NAME,GRADE,PASSWORD,RACE\n1,Ann,5,n3w-one,<clear>")
    stored = json.loads(row.values_json)
    assert stored.keys() == {"GRADE", "PASSWORD"}
    assert stored["GRADE"] == ["4", "5"]
    assert stored["PASSWORD"][0] == ""
    assert verify(stored["PASSWORD"][1], "n3w-one")


def test_a_rejected_row_stores_only_its_student(school: District) -> None:
    [row] = staged(
        school, "STUDENT_ID,USERNAME,GRADE,FIRST_NAME,LAST_NAME\n1,canary,15,Canary,Bird"
    )
    assert (row.outcome, row.values_json, row.student) == (
        "rejected",
        "",
        Student.objects.get(student_id="1"),
    )
    assert [getattr(row, key) for key in KEYS] == [None] * 4


def test_a_rejected_row_without_student_stores_its_keys(school: District) -> None:
    [row] = staged(school, "STUDENT_ID,USERNAME,GRADE,FIRST_NAME,LAST_NAME\nx1,Zoe.Fox,15,Zoe,Fox")
    assert (row.outcome, row.values_json, row.student) == ("rejected", "", None)
    assert [getattr(row, key) for key in KEYS] == ["x1", "zoe.fox", "zoe\x1ffox", None]


def test_rows_that_are_unchanged_are_not_staged(school: District) -> None:
    enroll(school, a_class(5))
    assert staged(school, a_class(5)) == []


texts = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8),
    st.text('{}[],:"\\\r\n', max_size=8),
)


@given(rows=st.lists(st.dictionaries(texts, texts, max_size=4), max_size=6))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@pytest.mark.django_db
def test_new_students_are_staged_with_exactly_their_values(rows: list[dict[str, str]]) -> None:
    StagedRow.objects.all().delete()
    keys = (None, None, None, None, None, None, None)
    staged_rows.stage(
        1, [NewStudentTuple(line, line, *keys, values) for line, values in enumerate(rows)]
    )
    stored = StagedRow.objects.order_by("line").values_list("values_json", flat=True)
    assert [json.loads(text) for text in stored] == rows
