"""The header: its columns and its problems."""

import pytest

from rollbook.studentfile.reading.header import Header, looks_like_header

ACCEPTED = {"unknown_column", "alias_ignored", "folded_header"}


def codes(*names: str) -> list[str]:
    return [problem.code for problem in Header.parse(names)[1]]


def errors(*names: str) -> list[str]:
    return [code for code in codes(*names) if code not in ACCEPTED]


def columns_of(*names: str) -> list[object]:
    return [column and column.name for column in Header.parse(names)[0].columns]


def test_a_header_can_be_restored_from_json() -> None:
    header, _ = Header.parse(["Student Id", "Birthdate", "COLOR", "_LINE", "", "DOB"])
    assert Header.parse(list(header.names))[0] == header
    assert [column and column.name for column in header.columns] == [
        "STUDENT_ID",
        None,
        None,
        None,
        None,
        "DOB",
    ]
    assert header.ignored == ("Birthdate", "COLOR")


@pytest.mark.parametrize(
    "names", [["STUDENT_ID"], ["USERNAME"], ["FIRST_NAME", "LAST_NAME", "DOB"]]
)
def test_each_of_three_column_sets_identifies_a_student(names: list[str]) -> None:
    assert codes(*names) == []


def test_an_incomplete_column_set_identifies_no_student() -> None:
    assert codes("FIRST_NAME", "DOB") == ["missing_column"]


def test_a_renamed_key_column_is_an_error_even_if_other_columns_identify_students() -> None:
    assert codes("FIRST_NAME", "LAST_NAME", "DOB", "LOCAL_ID")[0] == "key_column_renamed"
    assert codes("USERNAME", "LOCAL_ID")[0] == "key_column_renamed"
    assert codes("STUDENT_ID", "LOCAL_ID") == ["unknown_column"]


def test_each_required_rename_is_listed_once() -> None:
    _, problems = Header.parse(
        ["State ID", "SIS ID", "Scool ID", "First Name", "Last Name", "Birthday", "Student Number"]
    )
    assert problems[0].hint == (
        "rename SIS ID to STUDENT_ID and Scool ID to SCHOOL_ID and Birthday to DOB"
    )


def test_an_unknown_column_is_reported_with_the_one_that_is_probably_meant() -> None:
    _, problems = Header.parse(["STUDENT_ID", "GRADE", "ESL", "COLOR", "_PROBLEM"])
    assert [(problem.code, problem.found, problem.hint) for problem in problems] == [
        ("unknown_column", "ESL", "if you mean ELL, rename it"),
        ("unknown_column", "COLOR", ""),
    ]


def test_a_misspelled_column_is_an_error_unless_another_one_has_its_values() -> None:
    _, problems = Header.parse(["STUDENT_ID", "GRDAE", "STATE"])
    assert (problems[0].code, problems[0].column, problems[0].found) == (
        "column_renamed",
        "GRADE",
        "GRDAE",
    )
    assert problems[0].message == (
        'The column "GRDAE" isn\'t recognized. '
        "Rename GRDAE to GRADE; start a name with _ if its column isn't needed"
    )
    assert codes("STUDENT_ID", "GRDAE", "Grade Level", "STATE") == [
        "unknown_column",
        "unknown_column",
        "folded_header",
    ]
    assert codes("STUDENT_ID", "_GRDAE") == []


@pytest.mark.parametrize(
    "names",
    [["STUDENT_ID", "student id"], ["STUDENT_ID", "GROUP", "group"], ["StudentID", "STUDENT_ID"]],
)
def test_two_columns_with_the_same_name_are_an_error(names: list[str]) -> None:
    assert errors(*names) == ["duplicate_column"]


def test_the_duplicate_is_named_as_in_the_file() -> None:
    _, problems = Header.parse(["STUDENT_ID", "Birthdate", "birth date"])
    assert problems[0].found == "Birthdate"


def test_columns_of_the_same_name_that_are_not_read_are_one_warning() -> None:
    assert codes("STUDENT_ID", "PHONE", "PHONE") == ["unknown_column"]
    assert Header.parse(["STUDENT_ID", "X", "x", "X"])[0].ignored == ("X", "x", "X")


@pytest.mark.parametrize(
    ("names", "columns"),
    [
        (("STUDENT_ID", "ETHNICITY", "RACE"), ["STUDENT_ID", None, "RACE"]),
        (("STUDENT_ID", "Ethnicity"), ["STUDENT_ID", "RACE"]),
        (("STUDENT_ID", "Grade Level", "grade"), ["STUDENT_ID", None, "GRADE"]),
        (("STUDENT_ID", "Grade Level", "grades"), ["STUDENT_ID", "GRADE", None]),
        (("STUDENT_ID", "GROUP", "GROUPS"), ["STUDENT_ID", None, "GROUPS"]),
        (
            ("SIS ID", "STUDENT_ID", "School SIS ID", "Grade"),
            [None, "STUDENT_ID", "SCHOOL_ID", "GRADE"],
        ),
    ],
)
def test_a_column_is_read_under_its_own_name_or_its_first_alias(
    names: tuple[str, ...], columns: list[str | None]
) -> None:
    assert columns_of(*names) == columns
    assert errors(*names) == []


def test_an_alias_beside_the_column_is_a_warning_that_names_both() -> None:
    header, problems = Header.parse(["STUDENT_ID", "RACE", "ETHNICITY"])
    assert (problems[0].code, problems[0].found) == ("alias_ignored", "ETHNICITY")
    assert "RACE is used as RACE: remove ETHNICITY" in problems[0].hint
    assert (header.ignored, header.competing_columns) == (("ETHNICITY",), ())


def test_two_aliases_compete() -> None:
    header, _ = Header.parse(["STUDENT_ID", "Birthdate", "X", "Date of Birth"])
    assert header.competing_columns == ((1, 3),)


STAFF_FILES = [
    ("FIRST_NAME", "LAST_NAME", "USERNAME", "ROLE"),
    ("SIS ID", "School SIS ID", "First Name", "Last Name", "Username", "Teacher Number", "Title"),
    ("School_id", "Teacher_id", "Teacher_number", "Teacher_email", "First_name", "Last_name"),
    ("School_id", "Staff_id", "Staff_email", "First_name", "Last_name", "Role"),
    ("EmployeeID", "First Name", "Last Name", "Username"),
]


@pytest.mark.parametrize("names", STAFF_FILES)
def test_a_staff_file_is_recognized(names: tuple[str, ...]) -> None:
    assert codes(*names)[0] == "wrong_file_type"


@pytest.mark.parametrize(
    "names", [("STUDENT_ID", "TEACHER_ID"), ("Student Number", "First Name", "Teacher ID")]
)
def test_a_student_file_with_teachers_is_not_a_staff_file(names: tuple[str, ...]) -> None:
    assert "wrong_file_type" not in codes(*names)


@pytest.mark.parametrize(
    "row",
    [
        "00101,Ana,Brook,05/13/2014,f,4,1001,Boise,ID",
        "00101,Grace,Race,05/13/2014",
        "Ana,Sex,f,4",
        "Ella,Grade,05/13/2014,x",
        "Ida,Garde,5,Group",
        "MI,Ana,Brook,5",
        "ID,WA,1,2",
        "First,Baptist,7,x",
        "Last,May,5/1/2010,4,3",
        "Student roster,,,",
        "Students of 2026",
        "Grade report,Maple High,,",
    ],
)
def test_a_row_or_a_title_is_not_a_header(row: str) -> None:
    assert not looks_like_header(row.split(","))


@pytest.mark.parametrize(
    "header",
    [
        "Studnet ID,Garde",
        "ID,Name",
        "Perm ID,Room,Bus,Lunch,Locker",
        "givenName,a,b,c,d",
        "STUDENT_ID,2023,2024,2025",
    ],
)
def test_other_names_make_a_header_too(header: str) -> None:
    assert looks_like_header(header.split(","))
