"""Validation of rows: all values and all problems, but never a secret value."""

from datetime import date

import pytest

from rollbook.studentfile.columns import REQUIRED_TO_ADD
from rollbook.studentfile.limits import Limits
from rollbook.studentfile.reading.header import Header
from rollbook.studentfile.reading.reader import RawRow
from rollbook.studentfile.row_validator import RowValidator, ValidatedRow, missing_required_values

TODAY = date(2026, 9, 1)
NAMES = ["STUDENT_ID", "USERNAME", "PASSWORD", "FIRST_NAME", "LAST_NAME", "DOB", "RACE", "COLOR"]


def validate(*cells: str, names: list[str] = NAMES, limits: Limits | None = None) -> ValidatedRow:
    padded = [*cells, *[""] * (len(names) - len(cells))]
    return RowValidator(Header.parse(names)[0], TODAY, limits).validate(RawRow(7, padded))


def codes(row: ValidatedRow) -> list[tuple[str, str | None]]:
    return [(problem.code, problem.column) for problem in row.problems]


def test_blank_cells_and_ignored_columns_have_no_value() -> None:
    row = validate("00123", " ", "", "Ana", "\u00a0", "", "<CLEAR>", "red")
    assert row.values == {"STUDENT_ID": "00123", "FIRST_NAME": "Ana", "RACE": ""}
    assert not row.rejected
    assert not row.problems


def test_all_problems_of_a_row_are_reported_and_valid_values_are_kept() -> None:
    row = validate("00123", "a b", "abc", "=Ana", "Brook", "2/30/2015")
    assert codes(row) == [
        ("bad_username", "USERNAME"),
        ("weak_password", "PASSWORD"),
        ("formula", "FIRST_NAME"),
        ("bad_date", "DOB"),
    ]
    assert row.rejected
    assert row.values == {"STUDENT_ID": "00123", "LAST_NAME": "Brook"}
    assert {problem.line for problem in row.problems} == {7}


@pytest.mark.parametrize(
    "secret", ["abc", "x" * 65, "pass\nword", "pass\x07word", "#REF!", "x" * 600, "<clear>", "NULL"]
)
def test_a_password_is_never_quoted(secret: str) -> None:
    row = validate("00123", "ana", secret)
    assert row.rejected
    assert "PASSWORD" not in row.values
    assert not any(problem.found or secret in problem.message for problem in row.problems)


@pytest.mark.parametrize("password", ["ANA.BROOK", "00123"])
def test_a_password_cannot_be_the_username_or_the_student_id(password: str) -> None:
    row = validate("00123", "Ana.Brook", password)
    assert codes(row) == [("weak_password", "PASSWORD")]
    assert "PASSWORD" not in row.values
    assert row.problems[0].found == ""


@pytest.mark.parametrize(
    ("born", "code"),
    [
        ("09/02/2026", "future_date"),
        ("09/01/2026", "unusual_age"),
        ("09/01/2024", ""),
        ("09/02/2000", ""),
        ("08/31/2000", "unusual_age"),
    ],
)
def test_the_age_is_computed_for_the_given_day(born: str, code: str) -> None:
    row = validate("00123", "", "", "", "", born)
    assert codes(row) == ([(code, "DOB")] if code else [])
    assert row.rejected == (code == "future_date")
    assert ("DOB" in row.values) != row.rejected


def test_a_row_that_identifies_no_student_has_no_key() -> None:
    assert codes(validate("", "", "", "", "Brook", "05/13/2014")) == [("no_key", None)]
    assert codes(validate("", "", "", "Ana", "Brook", "05/13/2014")) == []
    assert codes(validate("1 2")) == [("bad_student_id", "STUDENT_ID")]


def test_a_row_with_a_wrong_cell_count_is_rejected_but_has_its_identifying_values() -> None:
    validator = RowValidator(Header.parse(["STUDENT_ID", "LAST_NAME", "GRADE"])[0], TODAY)
    for cells, code in (
        (["00123", "Brook"], "too_few_cells"),
        (["00123", "Brook", "Jr.", "4"], "too_many_cells"),
    ):
        row = validator.validate(RawRow(3, cells))
        assert codes(row) == [(code, None)]
        assert row.values == {"STUDENT_ID": "00123", "LAST_NAME": "Brook"}
        assert f"row has {len(cells)} and the header has 3" in row.problems[0].message


def test_a_repeated_header_is_one_problem() -> None:
    assert codes(validate(*[name.lower() for name in NAMES])) == [("header_again", None)]
    assert codes(validate("USERNAME", "First", names=["USERNAME", "First"])) == [
        ("header_again", None)
    ]


@pytest.mark.parametrize(
    ("names", "cells"),
    [
        (
            ["STUDENT_ID", "FIRST_NAME", "DOB", "Color"],
            ["student id", "Given name", "dob", "color"],
        ),
        (["Student ID", "DOB", "Color"], ["[STUDENT_ID]", "Date of Birth", "COLOR"]),
        (["STUDENT_ID", "DOB", ""], ["Student-ID", "student.dob", ""]),
        (["SISID", "SCHOOLSISID", "GRADE"], ["STUDENT_ID", "School_SIS_ID", "Grade Level"]),
    ],
)
def test_a_header_is_repeated_in_any_spelling_that_a_header_can_have(
    names: list[str], cells: list[str]
) -> None:
    assert codes(validate(*cells, names=names)) == [("header_again", None)]
    assert codes(validate(cells[1], cells[0], *cells[2:], names=names)) != [("header_again", None)]


@pytest.mark.parametrize(
    ("names", "cells", "is_other"),
    [
        ("STUDENT_ID,DOB,GRADE,Note", "STUDENT_ID,Grade Level,DOB,Note", True),
        ("STUDENT_ID,DOB,GRADE,Note", "Student ID,DOB,Note,Grade", True),
        ("STUDENT_ID,DOB,GRADE,Note", "STUDENT_ID,Birth date,Gender,", True),
        ("STUDENT_ID,DOB,GRADE,Note", "Note,DOB,Color,student id", True),
        ("STUDENT_ID,DOB,GRADE,Note", "the ID,the DOB,GRADE,free text", False),
        ("STUDENT_ID,DOB,GRADE,Note", "s1,mm/dd/yyyy,,Grade", False),
        ("STUDENT_ID,DOB,GRADE,Note", "STUDENT_ID,DOB,GRADE,Gender", False),
        ("STUDENT_ID,LAST_NAME,DOB,GRADE", "s1,Grade,9,9", False),
        ("STUDENT_ID,LAST_NAME,DOB,GRADE", "s1,Grade,x,", False),
        ("STUDENT_ID,GROUPS", "'s1?,ELL", False),
        ("STUDENT_ID,GROUPS", "Student ID,ELL", True),
    ],
)
def test_a_header_whose_columns_have_other_places_is_one_problem(
    names: str, cells: str, *, is_other: bool
) -> None:
    row = validate(*cells.split(","), names=names.split(","))
    assert row.problems
    assert (codes(row) == [("other_header", None)]) == is_other


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("STUDENT_ID", "00123"),
        ("DOB", "05/13/2014"),
        ("GRADE", "4"),
        ("GENDER", "f"),
        ("RACE", " WH"),
        ("SCHOOL_ID", "107"),
        ("ELL", "y"),
    ],
)
def test_marks_around_a_value_are_explained_in_every_column(column: str, value: str) -> None:
    assert "apostrophe" in hint_of(column, f"'{value}")
    for mark in "'\"":
        assert "the quotation marks, which" in hint_of(column, f"{mark}{value}{mark}")
    assert "apostrophe" not in hint_of(column, f"'{value}?")
    assert "apostrophe" not in hint_of(column, "'")


def hint_of(column: str, text: str) -> str:
    """Return the hint of the first problem of a row with this text."""
    return validate("ana", text, names=["USERNAME", column]).problems[0].message


def test_a_password_is_not_said_to_begin_with_an_apostrophe() -> None:
    assert not any("apostrophe" in each.message for each in validate("1", "", "'" * 70).problems)
    long = validate("1", "", "'" + "long-Pass1" * 6 + "wxyz")
    assert not any("apostrophe" in each.message for each in long.problems)


@pytest.mark.statement("S29")
def test_a_cell_has_a_maximum_length() -> None:
    assert codes(validate("00123", "", "", "Anastasia", limits=Limits(cell_characters=8))) == [
        ("field_too_long", "FIRST_NAME")
    ]


def test_a_problem_contains_the_maximum_length() -> None:
    row = validate("x" * 256, "x" * 101, names=["ADDITIONAL_INFO_1", "GROUPS"])
    messages = {problem.column: problem.message for problem in row.problems}
    assert "at most 255 characters" in messages["ADDITIONAL_INFO_1"]
    assert "at most 100 characters" in messages["GROUPS"]


@pytest.mark.parametrize("column", ["STUDENT_ID", "SCHOOL_ID"])
def test_spaces_around_an_id_are_removed_with_a_warning(column: str) -> None:
    row = validate(" 00123\u00a0", "ana", names=[column, "USERNAME"])
    assert (row.values[column], codes(row)) == ("00123", [("trimmed", column)])


@pytest.mark.parametrize("blank", ["\u00a0", "\u1680", "\u2003", "\u205f", "\u3000", "\u200b"])
def test_whitespace_of_any_kind_is_blank(blank: str) -> None:
    assert validate("00123", blank, names=["STUDENT_ID", "GROUPS"]).values == {
        "STUDENT_ID": "00123"
    }
    assert (
        validate("00123", f"Math&{blank}", names=["STUDENT_ID", "GROUPS"]).values["GROUPS"]
        == "Math"
    )


def test_invisible_characters_are_visible_in_the_problem() -> None:
    assert validate("00\u200b123").problems[0].found == "00<U+200B>123"


def test_a_cached_result_gives_the_same_problem() -> None:
    validator = RowValidator(Header.parse(["STUDENT_ID", "DOB"])[0], TODAY)
    rows = [validator.validate(RawRow(line, [f"A{line}", "13/05/2014"])) for line in range(2, 5)]
    assert [codes(row) for row in rows] == [[("bad_date", "DOB")]] * 3
    assert [row.problems[0].line for row in rows] == [2, 3, 4]


def test_missing_required_values_are_listed() -> None:
    assert [problem.column for problem in missing_required_values({}, 9)] == list(REQUIRED_TO_ADD)
    assert missing_required_values(dict.fromkeys(REQUIRED_TO_ADD, "x"), 9) == []
    problem = missing_required_values({}, 9)[0]
    assert problem.message == (
        '"FIRST_NAME" is missing. Fill in the cell, or add the column if the file doesn\'t have it'
    )


@pytest.mark.parametrize("text", ['"Brook"', "'Brook'", "“Brook”", "‘Brook’", "'O'Dell'"])
def test_a_name_is_not_stored_with_quotation_marks_around_it(text: str) -> None:
    row = validate("s1", text, names=["STUDENT_ID", "LAST_NAME"])
    assert codes(row) == [("bad_name", "LAST_NAME")]
    assert "LAST_NAME" not in row.values
    assert row.problems[0].hint == "remove the quotation marks, which are part of the value"


@pytest.mark.parametrize("text", ["'Aukai", "ʻŌʻili", 'Mary "Bo"', "Ana “Bo” Lee", "Ana „Bo“ Lee"])
def test_a_name_may_have_quotation_marks_in_it(text: str) -> None:
    assert validate("s1", text, names=["STUDENT_ID", "LAST_NAME"]).values["LAST_NAME"] == text
