"""Bad optional cells and damaged text in a whole update."""

import pytest

from rollbook.districts.models import District
from rollbook.updates.state_machine import Mode
from tests.updates.night import a_class, enroll, last, password_of, problems, run, values_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def school(maple: District) -> District:
    enroll(
        maple,
        a_class(3, GRADE="4", PARENT_EMAIL_1="p@home.example", RACE="WH", PASSWORD="sunflower"),
    )
    return maple


def test_a_bad_optional_cell_does_not_stop_a_school_change(school: District) -> None:
    run(
        school,
        "STUDENT_ID,SCHOOL_ID,GRADE,PARENT_EMAIL_1\n"
        "s000,200,5,none\ns001,200,6,mom@x.example;dad@x.example\ns002,200,6,ben@x.example.",
    )
    assert problems(last(school)) == {
        2: ["placeholder_blank"],
        3: ["value_kept"],
        4: ["value_kept"],
    }
    for student, grade in (("s000", "5"), ("s001", "6"), ("s002", "6")):
        values = values_of(school, student, "SCHOOL_ID", "GRADE", "PARENT_EMAIL_1")
        assert values == ("200", grade, "p@home.example")


def test_races_that_are_not_stored_leave_the_race_unchanged(school: District) -> None:
    run(school, "STUDENT_ID,GRADE,RACE\ns000,5,B\ns001,6,Two or More Races\ns002,5,WH&AS")
    assert problems(last(school)) == {3: ["value_kept"], 4: ["value_kept"]}
    assert values_of(school, "s000", "GRADE", "RACE") == ("5", "BL")
    assert values_of(school, "s001", "GRADE", "RACE") == ("6", "WH")


def test_a_new_student_is_added_without_the_bad_optional_value(school: District) -> None:
    file = a_class(4, GRADE="4").replace("STUDENT_ID", "STUDENT_ID", 1)
    header, *rows = file.strip().splitlines()
    run(school, f"{header.strip()},RACE\n{rows[-1].strip()},XX", Mode.ADD)
    assert problems(last(school)) == {2: ["value_kept"]}
    assert values_of(school, "s003", "RACE") == ("",)


def test_masked_passwords_change_no_password(school: District) -> None:
    before = password_of(school, "s000")
    run(school, "STUDENT_ID,PASSWORD\ns000,********\ns001,••••••••")
    assert problems(last(school)) == {2: ["masked_password"], 3: ["masked_password"]}
    assert password_of(school, "s000") == before
