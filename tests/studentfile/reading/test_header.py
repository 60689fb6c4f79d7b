"""The first line: which columns it names, and why it may not do."""

import pytest

from rollbook.studentfile.reading.header import Header


def codes(*names: str) -> list[str]:
    return [problem.code for problem in Header.parse(names)[1]]


def test_a_header_survives_being_kept_as_json() -> None:
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
def test_a_student_is_identified_by_any_of_three(names: list[str]) -> None:
    assert codes(*names) == []


def test_half_a_key_identifies_nobody() -> None:
    assert codes("FIRST_NAME", "DOB") == ["missing_column"]


def test_a_key_that_has_another_name_is_not_ignored_even_if_names_and_birth_date_are_there() -> (
    None
):
    assert codes("FIRST_NAME", "LAST_NAME", "DOB", "LOCAL_ID")[0] == "key_column_renamed"
    assert "key_column_renamed" not in codes("STUDENT_ID", "LOCAL_ID")


def test_all_renames_that_are_needed_are_listed_once_each() -> None:
    _, problems = Header.parse(
        ["SIS ID", "School SIS ID", "First Name", "Last Name", "Birthdate", "Student Number"]
    )
    assert problems[0].hint == "rename SIS ID to STUDENT_ID and School SIS ID to SCHOOL_ID"


def test_an_unknown_column_is_named_beside_the_one_that_may_be_meant() -> None:
    _, problems = Header.parse(["STUDENT_ID", "GRDAE", "COLOR", "_PROBLEM"])
    assert [(problem.code, problem.found, problem.hint) for problem in problems] == [
        ("unknown_column", "GRDAE", "if GRADE is meant, rename it"),
        ("unknown_column", "COLOR", ""),
    ]


def test_a_short_name_must_be_nearer_to_be_taken_for_another() -> None:
    _, problems = Header.parse(["STUDENT_ID", "STATE", "GRAD"])
    assert [problem.hint for problem in problems] == ["", "if GRADE is meant, rename it"]


@pytest.mark.parametrize(
    "names",
    [["STUDENT_ID", "student id"], ["STUDENT_ID", "GROUP", "GROUPS"], ["STUDENT_ID", "X", "x"]],
)
def test_two_columns_of_one_name_are_one_too_many(names: list[str]) -> None:
    assert "duplicate_column" in codes(*names)


def test_a_staff_file_is_recognised_and_a_student_file_with_teachers_is_not_one() -> None:
    assert codes("FIRST_NAME", "LAST_NAME", "USERNAME", "ROLE")[0] == "wrong_file_type"
    assert "wrong_file_type" not in codes("STUDENT_ID", "TEACHER_ID")
