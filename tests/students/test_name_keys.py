"""Two spellings of a name have the same key, and two names never do."""

import pytest

from rollbook.students.name_keys import name_and_dob, name_key


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ANN", "ann"),
        ("Jos\u00e9", "Jose\u0301"),
        ("O\u2019Neil", "O'Neil"),
        ("O\u02bcNeil", "O'Neil"),
        ("Anne\u2010Marie", "Anne-Marie"),
        ("Anne\u2013Marie", "Anne-Marie"),
        ("Mary  Lou", "Mary Lou"),
        ("Stra\u00dfe", "STRASSE"),
        ("\u0395\u03bb\u03ad\u03bd\u03b7\u03c2", "\u0395\u039b\u0388\u039d\u0397\u03a3"),
    ],
)
def test_two_spellings_of_a_name_have_the_same_key(one: str, other: str) -> None:
    assert name_key(one, "Lee") == name_key(other, "LEE")
    assert name_key("Ann", one) == name_key("ANN", other)


@pytest.mark.parametrize(
    ("one", "other"), [("Jose", "Jos\u00e9"), ("Mary Lou", "MaryLou"), ("Oneil", "O'Neil")]
)
def test_accents_spaces_and_apostrophes_make_a_difference(one: str, other: str) -> None:
    assert name_key(one, "Lee") != name_key(other, "Lee")


def test_the_end_of_the_first_name_makes_a_difference() -> None:
    assert name_key("Ann Lee", "Kim") != name_key("Ann", "Lee Kim")


def test_the_date_of_birth_is_part_of_the_pair() -> None:
    ann = {"FIRST_NAME": "Ann", "LAST_NAME": "Lee", "DOB": "2012-05-13"}
    assert name_and_dob(ann) == (name_key("Ann", "Lee"), "2012-05-13")
