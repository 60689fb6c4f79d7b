"""Spellings of grades, races, genders and flags with one meaning are accepted, and no others."""

import pytest

from rollbook.studentfile.columns import BY_NAME
from rollbook.studentfile.values.text_checks import InvalidValue


@pytest.mark.parametrize(
    ("grade", "texts"),
    [
        ("pk", "PK,PreK,Pre-K,pre_k,PK3,PK4,PK-3,Pre-Kindergarten,Prekindergarten,Preschool,PR,EC"),
        ("k", "K,KG,KF,KH,TK,0,00,Kindergarten,KINDERGARTEN,Transitional Kindergarten,Grade K"),
        (
            "1",
            "1,01,1.0,1st,First,1st grade,First Grade,Grade 1,Grade 01,GRADE-1,grade_1,Gr. 1,Gr1",
        ),
        ("5", "5,05,5.0,05.0,5.00,5th,05th,5th Grade,fifth,Grade 5,grade5"),
        ("9", "9,09,Freshman,9th,Grade 9"),
        ("10", "10,Sophomore,tenth"),
        ("11", "11,junior,Eleventh grade"),
        ("12", "12,12.00,Senior,12th,Grade 12"),
        ("t1", "T1,t-1,T 1,Transitional first grade,transitional 1st,Transitional 1st Grade"),
        ("13", "13,13.0,13th,Grade 13,Gr. 13,13th grade,Thirteenth"),
        ("ug", "UG,ug,Ungraded,UNGRADED"),
        ("adult", "Adult,AE,Adult Education"),
    ],
)
def test_a_grade_has_many_spellings(grade: str, texts: str) -> None:
    assert {BY_NAME["GRADE"].rule(text) for text in texts.split(",")} == {grade}


@pytest.mark.parametrize("column", ["ELL", "SPECIAL_ED", "TITLE_1", "MIGRANT"])
def test_a_flag_can_be_a_number_as_data_tools_write_it(column: str) -> None:
    texts = ("1", "1.0", "0", "0.0", "2", "0.5")
    results = [BY_NAME[column].rule(text) for text in texts]
    assert results[:4] == ["y", "y", "n", "n"]
    assert all(isinstance(result, InvalidValue) for result in results[4:])


@pytest.mark.parametrize(
    "text",
    [*("-1", "-2", "-12", "14", "T2", "G", "PG", "1-2", "K-5", "0-0", "99", "5A", "Grade", "1 2")],
)
def test_a_code_without_one_meaning_is_rejected_by_name(text: str) -> None:
    result = BY_NAME["GRADE"].rule(text)
    assert isinstance(result, InvalidValue)
    assert result.code == "bad_value"
    assert "PK, K, T1, 1–13, UG or Adult" in result.hint


@pytest.mark.parametrize(
    ("code", "texts"),
    [
        ("WH", "W,WH,White,Caucasian,WH7"),
        ("BL", "B,Black,African American,Black/African American,blackOrAfricanAmerican,BL7"),
        ("AS", "A,Asian,AS7"),
        ("AI", "I,American Indian,American Indian/Alaska Native,americanIndianOrAlaskaNative,AM7"),
        ("PI", "P,Pacific Islander,Native Hawaiian,nativeHawaiianOrOtherPacificIslander,PI7"),
        ("HI", "H,Hispanic,Latino,Hispanic or Latino,Hispanic/Latino,HI7"),
    ],
)
def test_a_race_has_many_spellings(code: str, texts: str) -> None:
    assert {BY_NAME["RACE"].rule(text) for text in texts.split(",")} == {code}


@pytest.mark.parametrize(
    "text",
    [
        *("Two or More Races", "M", "MU7", "Multiracial", "demographicRaceTwoOrMoreRaces"),
        *("WH&AS", "W;B", "White, Asian", "W|B"),
    ],
)
def test_more_than_one_race_is_explained(text: str) -> None:
    result = BY_NAME["RACE"].rule(text)
    assert isinstance(result, InvalidValue)
    assert result.hint.startswith("the column contains one race")


@pytest.mark.parametrize(
    "text", ["A I", "A/I", "W/B", "Unknown", "7", "O", "not Hispanic or Latino"]
)
def test_a_race_is_never_guessed(text: str) -> None:
    result = BY_NAME["RACE"].rule(text)
    assert isinstance(result, InvalidValue)
    assert result.code == "bad_value"


@pytest.mark.parametrize(
    ("column", "text", "canonical"),
    [
        *(("GENDER", "Male", "m"), ("GENDER", "FEMALE", "f"), ("GENDER", "Non-Binary", "x")),
        *(("ELL", "t", "y"), ("ELL", "F", "n"), ("MIGRANT", "Yes", "y"), ("TITLE_1", "No", "n")),
        (
            "STUDENT_ID",
            "3f2c9a10-5b7d-4e21-9c33-0a1b2c3d4e5f",
            "3f2c9a10-5b7d-4e21-9c33-0a1b2c3d4e5f",
        ),
        *(("STUDENT_ID", "x" * 64, "x" * 64), ("SCHOOL_ID", "y" * 64, "y" * 64)),
    ],
)
def test_other_spellings(column: str, text: str, canonical: str) -> None:
    assert BY_NAME[column].rule(text) == canonical
