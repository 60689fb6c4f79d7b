"""The header: its columns and its problems."""

import pytest

from rollbook.studentfile.reading.header import Header


def codes(*names: str) -> list[str]:
    return [problem.code for problem in Header.parse(names)[1]]


def test_a_header_can_be_restored_from_json() -> None:
    header, _ = Header.parse(["Student Id", "Birthdate", "COLOR", "_LINE", ""])
    assert Header.parse(list(header.names))[0] == header
    assert [column and column.name for column in header.columns] == [
        "STUDENT_ID",
        "DOB",
        None,
        None,
        None,
    ]


@pytest.mark.parametrize(
    "names", [["STUDENT_ID"], ["USERNAME"], ["FIRST_NAME", "LAST_NAME", "DOB"]]
)
def test_each_of_three_column_sets_identifies_a_student(names: list[str]) -> None:
    assert codes(*names) == []


def test_an_incomplete_column_set_identifies_no_student() -> None:
    assert codes("FIRST_NAME", "DOB") == ["missing_column"]


def test_a_renamed_key_column_is_an_error_even_if_other_columns_identify_students() -> None:
    assert codes("FIRST_NAME", "LAST_NAME", "DOB", "LOCAL_ID")[0] == "key_column_renamed"
    assert "key_column_renamed" not in codes("STUDENT_ID", "LOCAL_ID")


def test_each_required_rename_is_listed_once() -> None:
    _, problems = Header.parse(
        ["SIS ID", "School SIS ID", "First Name", "Last Name", "Birthdate", "Student Number"]
    )
    assert problems[0].hint == "rename SIS ID to STUDENT_ID and School SIS ID to SCHOOL_ID"


def test_an_unknown_column_is_reported_with_the_one_that_is_probably_meant() -> None:
    _, problems = Header.parse(["STUDENT_ID", "GRDAE", "COLOR", "_PROBLEM"])
    assert [(problem.code, problem.found, problem.hint) for problem in problems] == [
        ("unknown_column", "GRDAE", "if you mean GRADE, rename it"),
        ("unknown_column", "COLOR", ""),
    ]


def test_a_short_name_needs_a_closer_match() -> None:
    _, problems = Header.parse(["STUDENT_ID", "STATE", "GRAD"])
    assert [problem.hint for problem in problems] == ["", "if you mean GRADE, rename it"]


@pytest.mark.parametrize(
    "names",
    [["STUDENT_ID", "student id"], ["STUDENT_ID", "GROUP", "GROUPS"], ["STUDENT_ID", "X", "x"]],
)
def test_two_columns_with_the_same_name_are_an_error(names: list[str]) -> None:
    assert "duplicate_column" in codes(*names)


def test_a_staff_file_is_recognized_but_not_a_student_file_with_teachers() -> None:
    assert codes("FIRST_NAME", "LAST_NAME", "USERNAME", "ROLE")[0] == "wrong_file_type"
    assert "wrong_file_type" not in codes("STUDENT_ID", "TEACHER_ID")
