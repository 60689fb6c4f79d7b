"""Applying staged rows, chunk by chunk; rows that have become impossible are rejected alone."""

from typing import Any

import pytest
from django.db import connection

from rollbook.districts.models import District, School
from rollbook.students.models import Change, Group, Student
from rollbook.students.name_keys import loose_key, name_key
from rollbook.students.passwords import hash_for_import, verify
from rollbook.updates.applying import apply
from rollbook.updates.models import StagedRow
from rollbook.updates.reporting.field_counts import changes_by_field
from rollbook.updates.state_machine import Mode
from tests.updates import night
from tests.updates.night import (
    a_class,
    applying,
    column_of,
    counts,
    enroll,
    finish,
    history,
    last,
    password_of,
    report_of,
    run,
    send,
    students,
    values_of,
)

pytestmark = pytest.mark.usefixtures("small_chunks")


@pytest.fixture(scope="module")
def enrolled(maple_once: District) -> None:
    enroll(maple_once, a_class(6))


@pytest.fixture
def school(enrolled: None, maple: District) -> District:
    return maple


def edit(key: str, **values: str) -> None:
    """Edit a student by hand."""
    student = Student.objects.get(student_id=key)
    for column, value in values.items():
        setattr(student, column, value)
    values = {"FIRST_NAME": student.first_name, "LAST_NAME": student.last_name}
    student.name_key = name_key(student.first_name, student.last_name)
    student.loose_key = loose_key({**values, "DOB": str(student.dob)})
    student.version += 1  # as the only writer of students does
    student.save()


def test_a_row_whose_username_was_taken_meanwhile_is_rejected_alone(school: District) -> None:
    update = send(school, "STUDENT_ID,USERNAME,GRADE\ns000,new,5\ns001,other,5\ns002,,5")
    applying(update)
    edit("s005", username="new")
    assert counts(finish(update)) == {"updated": 2, "rejected": 1}
    problem = update.problem_set.get()
    assert (problem.line, problem.code, problem.column) == (2, "changed_meanwhile", "USERNAME")
    assert values_of(school, "s000", "USERNAME", "GRADE") == ("u000", "4")
    assert history(school, "s000") == [("STUDENT", "", "added")]


@pytest.mark.parametrize(
    ("text", "changed", "column"),
    [
        (
            "STUDENT_ID,USERNAME,FIRST_NAME,LAST_NAME,DOB\nn1,n1,Zoe,Fox,2012-01-01",
            {"username": "n1"},
            "USERNAME",
        ),
        (
            "STUDENT_ID,USERNAME,FIRST_NAME,LAST_NAME,DOB\nn1,n1,Zoe,Fox,2012-01-01",
            {"student_id": "n1"},
            "STUDENT_ID",
        ),
    ],
)
def test_a_key_that_was_taken_meanwhile_rejects_the_row(
    school: District, text: str, changed: dict[str, str], column: str
) -> None:
    update = send(school, text, Mode.ADD)
    applying(update)
    edit("s005", **changed)
    assert counts(finish(update)) == {"rejected": 1}
    assert update.problem_set.values_list("code", "column").get() == ("changed_meanwhile", column)


@pytest.mark.parametrize("size", [2, 100])
def test_a_row_that_depends_on_an_impossible_row_is_rejected_too(
    school: District, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apply, "MIN_CHUNK_ROWS", size)
    update = send(
        school, "STUDENT_ID,USERNAME,GRADE\ns000,u001,5\ns001,u002,5\ns002,free,5\ns003,,5"
    )
    applying(update)
    edit("s005", username="free")
    assert counts(finish(update)) == {"updated": 1, "rejected": 3}
    assert {code for codes in night.problems(update).values() for code in codes} == {
        "changed_meanwhile"
    }
    assert column_of(school, "USERNAME") == {
        **{f"s00{n}": f"u00{n}" for n in range(5)},
        "s005": "free",
    }


def test_a_cycle_with_an_impossible_row_is_rejected_completely(school: District) -> None:
    Student.objects.filter(student_id="s000").update(student_id=None)
    update = send(
        school,
        """
        STUDENT_ID,USERNAME,FIRST_NAME,LAST_NAME,DOB
        n0,u001,Ann000,Lee000,2012-05-13
        s001,u002,,,
        s002,u000,,,
        """,
    )
    applying(update)
    edit("s005", student_id="n0")
    assert counts(finish(update)) == {"rejected": 3}
    usernames = {f"s00{n}": f"u00{n}" for n in range(1, 5)}
    assert column_of(school, "USERNAME") == {"u000": "u000", **usernames, "n0": "u005"}


def test_a_cycle_that_became_impossible_releases_no_username(school: District) -> None:
    update = send(school, "STUDENT_ID,USERNAME\ns000,u001\ns001,u000")
    applying(update)
    edit("s001", username="elsewhere")
    result = finish(update)
    assert counts(result) == {"updated": 2}
    assert (values_of(school, "s000", "USERNAME"), values_of(school, "s001", "USERNAME")) == (
        ("u001",),
        ("u000",),
    )
    assert history(school, "s001")[-1] == ("USERNAME", "elsewhere", "u000")


@pytest.mark.parametrize("rows", [("s000,Bob,", "n1,Bob,Kim"), ("n1,Bob,Kim", "s000,Bob,")])
def test_two_rows_may_lead_to_the_same_name(school: District, rows: tuple[str, str]) -> None:
    header = "STUDENT_ID,FIRST_NAME,LAST_NAME,DOB"
    update = send(school, "\n".join([header, *(f"{row},2012-05-13" for row in rows)]), Mode.ADD)
    applying(update)
    edit("s000", last_name="Kim")
    result = finish(update)
    assert (result.rejected, result.updated + result.added) == (0, 2)
    named = [
        values
        for values in students(school).values()
        if (values["FIRST_NAME"], values["LAST_NAME"]) == ("Bob", "Kim")
    ]
    assert len(named) == 2


def test_a_student_who_was_deleted_meanwhile_rejects_the_row(school: District) -> None:
    update = send(school, "STUDENT_ID,GRADE\ns000,5\ns001,5")
    applying(update)
    Change.objects.filter(student__student_id="s000").delete()
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA defer_foreign_keys = ON")
        cursor.execute("DELETE FROM students_student_groups")
        cursor.execute("DELETE FROM students_student WHERE student_id = 's000'")
        assert counts(finish(update)) == {"updated": 1, "rejected": 1}
        cursor.execute("DELETE FROM updates_stagedrow WHERE line = 2")
    assert night.problems(update) == {2: ["changed_meanwhile"]}


def test_the_history_has_the_values_that_were_replaced(school: District) -> None:
    update = send(school, "STUDENT_ID,GRADE,RACE\ns000,5,WH")
    applying(update)
    edit("s000", grade="7", middle_initial="Q")
    finish(update)
    assert sorted(history(school, "s000")[1:]) == [("GRADE", "7", "5"), ("RACE", "", "WH")]
    assert values_of(school, "s000", "MIDDLE_INITIAL") == ("Q",)


def test_a_row_that_no_longer_changes_its_student_is_unchanged(school: District) -> None:
    update = send(school, "STUDENT_ID,GRADE,GROUPS\ns000,5,Band\ns001,6,\ns002,,Band")
    applying(update)
    edit("s000", grade="5")
    band = Group.objects.create(
        school=School.objects.get(district=school, organization_id="100"),
        name="Band",
        name_key="band",
    )
    for student in Student.objects.filter(student_id__in=["s000", "s002"]):
        student.groups.set([band])
    assert counts(finish(update)) == {"updated": 1, "unchanged": 2}
    assert history(school, "s000") == [("STUDENT", "", "added")]
    assert history(school, "s002") == [("STUDENT", "", "added")]


def test_a_transfer_is_compared_with_the_present_school(school: District) -> None:
    update = send(school, "STUDENT_ID,SCHOOL_ID\ns000,200")
    applying(update)
    run_by_hand = School.objects.get(district=school, organization_id="200")
    Student.objects.filter(student_id="s000").update(school=run_by_hand)
    Student.objects.get(student_id="s000").groups.clear()
    assert counts(finish(update)) == {"updated": 1}
    assert values_of(school, "s000", "SCHOOL_ID", "GROUPS") == ("200", "Default")


def test_rows_staged_by_the_previous_version_are_applied(school: District) -> None:
    update = send(school, "STUDENT_ID,GRADE,PASSWORD\ns000,5,from-file\ns001,6,\ns002,7,")
    applying(update)
    StagedRow.objects.exclude(line=3).update(simple_columns=None)
    assert counts(finish(update)) == {"updated": 3}
    assert [values_of(school, key, "GRADE") for key in ("s000", "s001", "s002")] == [
        ("5",),
        ("6",),
        ("7",),
    ]
    assert sorted(history(school, "s000")[1:]) == [("GRADE", "4", "5"), ("PASSWORD", "", "changed")]
    assert changes_by_field(update) == {"GRADE": 3, "PASSWORD": 1}


def test_a_password_that_was_changed_meanwhile_is_replaced_by_that_of_the_file(
    school: District,
) -> None:
    update = send(school, "STUDENT_ID,PASSWORD\ns000,from-file")
    applying(update)
    Student.objects.filter(student_id="s000").update(password=hash_for_import("by-hand"))
    finish(update)
    assert verify(password_of(school, "s000"), "from-file")


def test_a_chunk_has_at_most_the_planned_rows(school: District) -> None:
    update = send(school, a_class(6, GRADE="5"))
    applying(update, 1)
    assert report_of(update).updated == 2
    finish(update)
    assert report_of(update).updated == 6


@pytest.mark.parametrize(
    ("size", "seconds", "commit_seconds", "wanted"),
    [
        (100, 0.0, 0.0, 200),
        (100, 0.25, 0.0, 100),
        (100, 1.0, 0.0, 100),
        (1000, 0.5, 0.0, 500),
        (1000, 0.01, 0.0, 2000),
        (4000, 0.01, 0.0, 5000),
        (1000, 0.2, 0.05, 1000),
        (1000, 0.25, 0.05, 800),
        (1000, 0.125, 0.125, 1000),
        (1000, 0.125, 3.0, 1000),
    ],
)
def test_the_size_of_a_chunk_is_adapted_to_a_quarter_of_a_second(
    monkeypatch: pytest.MonkeyPatch,
    size: int,
    seconds: float,
    commit_seconds: float,
    wanted: int,
) -> None:
    monkeypatch.setattr(apply, "MIN_CHUNK_ROWS", 100)
    monkeypatch.setattr(apply, "MAX_CHUNK_ROWS", 5000)
    assert apply._next_size(size, seconds, commit_seconds) == wanted


@pytest.mark.only_on("postgresql")
def test_a_chunk_uses_indexes(school: District, monkeypatch: pytest.MonkeyPatch) -> None:
    settings: list[str] = []

    def look(*chunk: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SHOW enable_seqscan")
            settings.append(cursor.fetchone()[0])
        write(*chunk)

    write = apply._apply
    monkeypatch.setattr(apply, "_apply", look)
    run(school, "STUDENT_ID,GRADE\ns000,5\ns001,5")
    assert settings
    assert set(settings) == {"off"}


def test_a_row_with_an_outcome_is_never_applied_again(school: District) -> None:
    update = send(school, a_class(6, GRADE="5"))
    applying(update, 1)
    edit("s000", grade="9")
    finish(update)
    assert values_of(school, "s000", "GRADE") == ("9",)
    assert counts(report_of(update)) == {"updated": 6}
    assert len(history(school, "s000")) == 2


def test_an_update_without_differences_applies_nothing(school: District) -> None:
    result = run(school, a_class(6))
    assert counts(result) == {"unchanged": 6}
    assert last(school).rows_staged == 0
