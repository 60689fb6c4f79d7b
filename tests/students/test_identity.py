"""Two of first name, last name and date of birth must not differ from the student's."""

import pytest

from rollbook.students.identity import (
    Difference,
    are_exchanged,
    compare_birth_dates,
    compare_names,
    find_contradiction,
)

ANA = {"FIRST_NAME": "Ana", "LAST_NAME": "Brook", "DOB": "2014-05-13", "STUDENT_ID": "00101"}


def code_of(stored: dict[str, str], **values: str) -> str | None:
    """Return the code of the problem of a row with these values."""
    found = {"STUDENT_ID": "00101", **values}
    problem = find_contradiction(2, stored, found, "STUDENT_ID")
    return problem.code if problem else None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Brook", "BROOK"),
        ("Brook", "Brook Jr."),
        ("Brook", "Brook, III"),
        ("Brook", "Brook Sr"),
        ("Núñez", "Nunez"),
        ("Núñez", "NUN\u0303EZ"),
        ("O'Neil", "O\u2019Neil"),
        ("O'Neil", "Oneil"),
        ("Ka\u02bbimi", "Ka`imi"),
        ("Anne-Marie", "Anne Marie"),
        ("Anne-Marie", "Annemarie"),
        ("McDonald", "Mc Donald"),
        ("García", "García López"),
        ("García López", "Garcia-Lopez"),
        ("García López", "López"),
        ("de la Cruz", "Cruz"),
        ("Mary Ann", "Mary"),
        ("Sørensen", "Sorensen"),
        ("Łukasz", "Lukasz"),
        ("Straße", "Strasse"),
        ("Jr", "Jr."),
        ("-", "Brook"),
        ("LNU", "."),
    ],
)
def test_these_names_do_not_differ(one: str, other: str) -> None:
    assert compare_names(one, other) is Difference.NONE
    assert compare_names(other, one) is Difference.NONE


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Dan", "Daniel"),
        ("Danny", "Daniel"),
        ("Liz", "Elizabeth"),
        ("Beth", "Elizabeth"),
        ("Jenny", "Jennifer"),
        ("Katie", "Katherine"),
        ("Eddie", "Edward"),
        ("Mike", "Michael"),
        ("Bill", "William"),
        ("Pepe", "José"),
        ("Jon", "John"),
        ("Ana", "Anna"),
        ("Catherine", "Cathrine"),
        ("Tran", "Tarn"),
        ("Müller", "Mueller"),
        ("J", "John"),
        ("Mary Ann", "Mary Lou"),
    ],
)
def test_nicknames_and_typos_are_minor_differences(one: str, other: str) -> None:
    assert compare_names(one, other) is Difference.MINOR
    assert compare_names(other, one) is Difference.MINOR


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ana", "Zoe"),
        ("Tim", "Tom"),
        ("Mia", "Max"),
        ("Brook", "Quill"),
        ("Tran", "Núñez"),
        ("王", "李"),
        ("राम", "सीता"),
        ("García", "Pérez López"),
    ],
)
def test_other_names_differ(one: str, other: str) -> None:
    assert compare_names(one, other) is Difference.MAJOR
    assert compare_names(other, one) is Difference.MAJOR


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({}, None),
        ({"LAST_NAME": "Quill"}, None),
        ({"FIRST_NAME": "Zoe"}, None),
        ({"DOB": "2013-01-01"}, None),
        ({"FIRST_NAME": "Ana", "LAST_NAME": "Quill", "DOB": "2014-05-13"}, None),
        ({"FIRST_NAME": "Ana", "LAST_NAME": "Brook", "DOB": "2014-05-31"}, None),
        ({"FIRST_NAME": "Ann", "LAST_NAME": "Brook", "DOB": "2014-05-31"}, "identity_mismatch"),
        ({"FIRST_NAME": "Anna", "LAST_NAME": "Brook", "DOB": "2014-05-31"}, None),
        ({"FIRST_NAME": "Anna", "LAST_NAME": "Quill", "DOB": "2014-05-13"}, None),
        ({"FIRST_NAME": "Anna", "LAST_NAME": "Brooks", "DOB": "2014-05-13"}, None),
        ({"FIRST_NAME": "Anna", "LAST_NAME": "Brooks", "DOB": "2014-05-31"}, "identity_mismatch"),
        ({"FIRST_NAME": "Zoe", "LAST_NAME": "Quill"}, "identity_mismatch"),
        ({"FIRST_NAME": "Zoe", "LAST_NAME": "Quill", "DOB": "2014-05-13"}, "identity_mismatch"),
        ({"LAST_NAME": "Quill", "DOB": "2013-01-01"}, "identity_mismatch"),
        ({"FIRST_NAME": "Zoe", "DOB": "2013-01-01"}, "identity_mismatch"),
        ({"FIRST_NAME": "Zoe", "LAST_NAME": "", "DOB": ""}, None),
        ({"FIRST_NAME": "Brook", "LAST_NAME": "Ana"}, "names_exchanged"),
        ({"FIRST_NAME": "BROOK", "LAST_NAME": "ána", "DOB": "2014-05-13"}, "names_exchanged"),
        ({"LAST_NAME": "-"}, "placeholder"),
        ({"FIRST_NAME": "Ana", "LAST_NAME": "LNU"}, "placeholder"),
    ],
)
def test_two_of_three_values_contradict(values: dict[str, str], code: str | None) -> None:
    assert code_of(ANA, **values) == code


@pytest.mark.parametrize("last_name", ["-", ".", "LNU", "Hartono"])
def test_a_student_with_one_name_may_get_another(last_name: str) -> None:
    suharto = {**ANA, "FIRST_NAME": "Suharto", "LAST_NAME": "-"}
    assert code_of(suharto, FIRST_NAME="Suharto", LAST_NAME=last_name, DOB="2014-05-31") is None


def test_equal_names_are_not_exchanged() -> None:
    james = {"FIRST_NAME": "James", "LAST_NAME": "James"}
    assert not are_exchanged(james, james)
    assert not are_exchanged(ANA, {"FIRST_NAME": "Brook"})


def test_the_problem_names_the_column_and_its_value() -> None:
    problem = find_contradiction(
        7, ANA, {"USERNAME": "abrook", "FIRST_NAME": "Zoe", "LAST_NAME": "Quill"}, "USERNAME"
    )
    assert problem
    assert (problem.line, problem.column, problem.found) == (7, "USERNAME", "abrook")


@pytest.mark.parametrize(
    ("one", "other", "difference"),
    [
        ("2014-05-13", "2014-05-13", Difference.NONE),
        ("2014-05-13", "2014-05-14", Difference.MINOR),
        ("2014-05-13", "2015-05-13", Difference.MINOR),
        ("2014-05-06", "2014-06-05", Difference.MINOR),
        ("2014-05-13", "2014-05-24", Difference.MAJOR),
        ("2014-05-13", "2012-08-02", Difference.MAJOR),
    ],
)
def test_dates_that_differ_in_a_digit_or_their_order_differ_a_bit(
    one: str, other: str, difference: Difference
) -> None:
    assert compare_birth_dates(one, other) is difference
    assert compare_birth_dates(other, one) is difference


@pytest.mark.parametrize(
    ("dob", "code"), [("2014-05-14", None), ("2014-08-02", "identity_mismatch")]
)
def test_both_names_may_differ_a_bit_if_the_birth_date_does_not_differ_more(
    dob: str, code: str | None
) -> None:
    stored = {"STUDENT_ID": "1", "FIRST_NAME": "Ana", "LAST_NAME": "Brook", "DOB": "2014-05-13"}
    row = {"STUDENT_ID": "1", "FIRST_NAME": "Anna", "LAST_NAME": "Brooks", "DOB": dob}
    problem = find_contradiction(2, stored, row, "STUDENT_ID")
    assert (problem.code if problem else None) == code
