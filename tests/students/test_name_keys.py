"""Two spellings of one name give one key, and two names never do."""

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
def test_two_spellings_of_one_name_give_one_key(one: str, other: str) -> None:
    assert name_key(one, "Lee") == name_key(other, "LEE")
    assert name_key("Ann", one) == name_key("ANN", other)


@pytest.mark.parametrize(
    ("one", "other"), [("Jose", "Jos\u00e9"), ("Mary Lou", "MaryLou"), ("Oneil", "O'Neil")]
)
def test_an_accent_a_blank_and_an_apostrophe_make_another_name(one: str, other: str) -> None:
    assert name_key(one, "Lee") != name_key(other, "Lee")


def test_where_the_first_name_ends_matters() -> None:
    assert name_key("Ann Lee", "Kim") != name_key("Ann", "Lee Kim")


def test_the_date_of_birth_belongs_to_the_name() -> None:
    ann = {"FIRST_NAME": "Ann", "LAST_NAME": "Lee", "DOB": "2012-05-13"}
    assert name_and_dob(ann) == (name_key("Ann", "Lee"), "2012-05-13")
