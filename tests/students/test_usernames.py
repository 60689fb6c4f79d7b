"""Generated usernames for new students."""

import pytest

from rollbook.districts.models import District
from rollbook.students.usernames import Usernames
from rollbook.updates.state_machine import Mode
from tests.updates.night import a_class, column_of, counts, enroll, run


@pytest.mark.parametrize(
    ("first", "last", "made"),
    [
        ("Ann", "Lee", "alee"),
        ("Jos\u00e9", "N\u00fa\u00f1ez", "jnunez"),
        ("Mary Lou", "O'Neil-Smith", "moneilsmith"),
        ("Stra\u00dfe", "Gro\u00df", "sgross"),
        ("\u5c0f\u660e", "\u738b", "student"),
        ("\u00d8", "\u0141", "student"),
        ("A", "\u738b", "student"),
        ("Ann", "x" * 100, "a" + "x" * 39),
        ("Nam", "An", "nan2"),
        ("Noel", "One", "none2"),
    ],
)
def test_a_username_is_the_first_initial_and_the_last_name(
    maple: District, first: str, last: str, made: str
) -> None:
    assert Usernames(maple.pk).make({"FIRST_NAME": first, "LAST_NAME": last}) == made


def test_no_two_calls_return_the_same(maple: District) -> None:
    usernames = Usernames(maple.pk, reserved={"alee2"})
    names = [
        {"FIRST_NAME": "Ann", "LAST_NAME": "Lee"},
        {"FIRST_NAME": "Al", "LAST_NAME": "Lee"},
    ] * 2
    assert [usernames.make(name) for name in names] == ["alee", "alee3", "alee4", "alee5"]


def test_an_existing_username_is_not_generated(maple: District) -> None:
    enroll(
        maple,
        """
        USERNAME,FIRST_NAME,LAST_NAME,DOB
        alee,Al,Lee,2012-01-01
        alee2,Amy,Lee,2012-01-01
        alee10,Abe,Lee,2012-01-01
        aleeson,Amy,Leeson,2012-01-01
        """,
    )
    enroll(maple, "STUDENT_ID,FIRST_NAME,LAST_NAME,DOB\n1,Ann,Lee,2012-05-13")
    assert column_of(maple, "USERNAME")["1"] == "alee3"


def test_usernames_of_other_districts_make_no_difference(maple: District, cedar: District) -> None:
    enroll(cedar, "USERNAME,FIRST_NAME,LAST_NAME,DOB\nalee,Al,Lee,2012-01-01")
    enroll(maple, "STUDENT_ID,FIRST_NAME,LAST_NAME,DOB\n1,Ann,Lee,2012-05-13")
    assert column_of(maple, "USERNAME")["1"] == "alee"


@pytest.mark.usefixtures("small_chunks")
def test_a_username_in_a_later_row_is_not_generated(maple: District) -> None:
    result = run(
        maple,
        """
        STUDENT_ID,FIRST_NAME,LAST_NAME,DOB,USERNAME
        1,Ann,Lee,2012-05-13,
        2,Bob,Kim,2012-01-01,bob
        3,Cleo,Diaz,2012-01-01,cleo
        4,Al,Lee,2012-01-01,
        5,Dan,Fox,2012-01-01,alee
        """,
        Mode.ADD,
    )
    assert counts(result) == {"added": 5}
    made = column_of(maple, "USERNAME")
    assert made["5"] == "alee"
    assert {made["1"], made["4"]} == {"alee2", "alee3"}


@pytest.mark.usefixtures("small_chunks")
def test_a_username_that_was_given_up_may_be_generated(maple: District) -> None:
    enroll(maple, "STUDENT_ID,USERNAME,FIRST_NAME,LAST_NAME,DOB\n1,alee,Al,Lee,2012-01-01")
    result = run(
        maple,
        """
        STUDENT_ID,FIRST_NAME,LAST_NAME,DOB,USERNAME
        2,Ann,Lee,2012-05-13,
        1,,,,al
        """,
        Mode.ADD,
    )
    assert counts(result) == {"updated": 1, "added": 1}
    assert column_of(maple, "USERNAME") == {"1": "al", "2": "alee"}


@pytest.mark.usefixtures("small_chunks")
def test_many_students_with_the_same_name_get_one_each(maple: District) -> None:
    enroll(maple, a_class(9, USERNAME="", FIRST_NAME="Ann", LAST_NAME="Lee", DOB="201{0}-01-01"))
    assert sorted(column_of(maple, "USERNAME").values()) == [
        "alee",
        *(f"alee{number}" for number in range(2, 10)),
    ]
