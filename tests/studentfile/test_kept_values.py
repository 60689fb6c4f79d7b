"""A bad value in an optional column leaves its field unchanged; the rest of the row is used."""

from datetime import date

import pytest

from rollbook.studentfile.columns import BY_NAME, COLUMNS
from rollbook.studentfile.reading.header import Header
from rollbook.studentfile.reading.reader import RawRow
from rollbook.studentfile.row_validator import RowValidator, ValidatedRow
from rollbook.studentfile.rules import FileRules

TODAY = date(2026, 9, 1)
OPTIONAL = [column.name for column in COLUMNS if column.is_optional]
BAD_VALUES = [
    *(("MIDDLE_INITIAL", "AB"), ("TITLE_1", "maybe"), ("MIGRANT", "unknown"), ("RACE", "XX")),
    *(("CLASSIFICATIONS", "Flu"), ("PARENT_EMAIL_1", "mom@x.example;dad@x.example")),
    *(("PARENT_EMAIL_2", "ben@x.example."), ("ADDITIONAL_INFO_1", "x" * 256)),
    *(("ADDITIONAL_INFO_2", "=cmd()"), ("ADDITIONAL_INFO_3", "JosÃ©"), ("GROUPS", "a &amp; b")),
    *(("STAFF", "nobody"), ("STATUS", "gone"), ("STATUS", "<clear>"), ("RACE", "a\nb")),
]


def validate(column: str, text: str, *, keep_optional: bool = True) -> ValidatedRow:
    header, _ = Header.parse(["STUDENT_ID", column, "GRADE"])
    validator = RowValidator(header, TODAY, keep_optional=keep_optional)
    return validator.validate(RawRow(2, ["00123", text, "5"]))


def test_the_columns_that_never_stop_a_row() -> None:
    rejecting = {
        *("STUDENT_ID", "USERNAME", "PASSWORD", "FIRST_NAME", "LAST_NAME", "DOB", "GENDER"),
        *("GRADE", "SCHOOL_ID", "ELL", "SPECIAL_ED"),
    }
    assert {column.name for column in COLUMNS} - {*OPTIONAL} == rejecting


@pytest.mark.parametrize(("column", "text"), BAD_VALUES)
def test_a_bad_optional_value_is_left_out_with_a_warning(column: str, text: str) -> None:
    row = validate(column, text)
    assert row.values == {"STUDENT_ID": "00123", "GRADE": "5"}
    assert [(problem.code, problem.column) for problem in row.problems] == [("value_kept", column)]
    assert not row.rejected
    message = row.problems[0].message
    assert f"{column} was left unchanged. " in message
    assert message.startswith('"')
    assert not message.endswith(".")


@pytest.mark.parametrize(("column", "text"), BAD_VALUES)
def test_by_hand_a_bad_optional_value_is_an_error(column: str, text: str) -> None:
    row = validate(column, text, keep_optional=False)
    assert row.rejected
    assert [problem.column for problem in row.problems] == [column]
    assert column not in row.values


@pytest.mark.parametrize("column", OPTIONAL)
@pytest.mark.parametrize(
    "text", ["NULL", "N/A", "none", "-", "\\N", "(null)", "<null>", "[NULL]", "n.a.", "NaN", " - "]
)
def test_a_placeholder_in_an_optional_column_is_blank(column: str, text: str) -> None:
    row = validate(column, text)
    assert row.values == {"STUDENT_ID": "00123", "GRADE": "5"}
    assert [problem.code for problem in row.problems] == ["placeholder_blank"]


@pytest.mark.parametrize(
    ("column", "text", "code"),
    [
        ("ADDITIONAL_INFO_1", "NULL", "placeholder_blank"),
        ("ADDITIONAL_INFO_1", "12 Elm St\nApt 4", "line_breaks_joined"),
        ("STAFF", "a@x.example;b@x.example", "list_separator"),
    ],
)
def test_a_harmless_difference_is_reported_once_for_each_column(
    column: str, text: str, code: str
) -> None:
    header, _ = Header.parse(["STUDENT_ID", column, "ADDITIONAL_INFO_2"])
    validator = RowValidator(header, TODAY)
    rows = [validator.validate(RawRow(line, [f"A{line}", text, "-"])) for line in range(2, 5)]
    assert [[problem.code for problem in row.problems] for row in rows] == [
        [code, "placeholder_blank"],
        [],
        [],
    ]


@pytest.mark.parametrize(
    ("column", "text"),
    [
        *(("FIRST_NAME", "(blank)"), ("LAST_NAME", "Pe?a"), ("GENDER", "NULL"), ("ELL", "-")),
        *(("USERNAME", "(null)"), ("PASSWORD", "********"), ("SCHOOL_ID", "\\N"), ("DOB", "n/a")),
        *(("FIRST_NAME", "\\N"), ("LAST_NAME", "[NULL]"), ("FIRST_NAME", "An\na")),
    ],
)
def test_a_bad_value_in_another_column_rejects_the_row(column: str, text: str) -> None:
    assert validate(column, text).rejected


@pytest.mark.parametrize("blank", ["\t", "\u00a0", "\n", "\r\n", "\v", "\f", " \t\u00a0"])
@pytest.mark.parametrize("column", ["FIRST_NAME", "ADDITIONAL_INFO_1", "GROUPS", "MIDDLE_INITIAL"])
def test_blanks_of_any_kind_are_trimmed(column: str, blank: str) -> None:
    row = validate(column, f"{blank}A{blank}")
    assert row.values[column] == "A"
    assert row.problems == []


@pytest.mark.parametrize("line_break", ["\n", "\r\n", "\v", "\f", "\x85", "\u2028", "\t", " \n "])
def test_lines_of_free_text_are_joined(line_break: str) -> None:
    row = validate("ADDITIONAL_INFO_1", f"12 Elm St{line_break}Apt 4")
    assert row.values["ADDITIONAL_INFO_1"] == "12 Elm St Apt 4"
    assert [problem.code for problem in row.problems] == ["line_breaks_joined"]


def test_the_codes_of_a_district_decide_what_a_grade_means() -> None:
    header, _ = Header.parse(["STUDENT_ID", "GRADE"])
    rules = FileRules(grade_codes={"-1": "pk", "t1": "1", "5": "6"})
    validator = RowValidator(header, TODAY, rules=rules)
    texts = ["-1", "T1 ", "5", "4", "-2"]
    rows = [validator.validate(RawRow(2, ["00123", text])) for text in texts]
    assert [row.values.get("GRADE") for row in rows] == ["pk", "1", "6", "4", None]
    assert rows[4].problems[0].message.startswith('"-2" isn\'t a grade we recognize')


def test_a_district_can_say_what_13_means_in_all_spellings() -> None:
    header, _ = Header.parse(["STUDENT_ID", "GRADE"])
    validator = RowValidator(header, TODAY, rules=FileRules(grade_codes={"13": "adult"}))
    texts = ["13", "Grade 13", "13th", "12", "UG"]
    rows = [validator.validate(RawRow(2, ["00123", text])) for text in texts]
    assert [row.values["GRADE"] for row in rows] == ["adult", "adult", "adult", "12", "ug"]


def test_a_hidden_password_is_not_quoted() -> None:
    problem = validate("PASSWORD", "[hidden]").problems[0]
    assert (problem.code, problem.found) == ("masked_password", "")
    assert "PASSWORD" in problem.message


def test_every_optional_column_can_be_blank() -> None:
    assert not [name for name in OPTIONAL if BY_NAME[name].required_to_add]
