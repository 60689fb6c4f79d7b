"""The rules of the columns."""

import time

import pytest

from rollbook.studentfile.columns import (
    BY_NAME,
    BY_SPELLING,
    COLUMNS,
    KEYS_OF_EXCHANGE_FILES,
    NAMES_IN_OTHER_SYSTEMS,
    REQUIRED_TO_ADD,
    Column,
    fold_header,
    is_nameless,
)
from rollbook.studentfile.values.text_checks import InvalidValue, ValueWithWarning


def test_the_columns_that_a_new_student_needs() -> None:
    required = (
        "FIRST_NAME",
        "LAST_NAME",
        "DOB",
        "GENDER",
        "GRADE",
        "SCHOOL_ID",
        "ELL",
        "SPECIAL_ED",
    )
    assert required == REQUIRED_TO_ADD


def test_only_the_password_is_secret_and_three_columns_are_lists() -> None:
    assert [column.name for column in COLUMNS if column.secret] == ["PASSWORD"]
    assert [column.name for column in COLUMNS if column.is_list] == [
        "CLASSIFICATIONS",
        "GROUPS",
        "STAFF",
    ]


def test_required_columns_cannot_be_cleared() -> None:
    assert not [column.name for column in COLUMNS if column.clearable and column.required_to_add]
    assert not any(
        BY_NAME[name].clearable for name in ("STUDENT_ID", "USERNAME", "PASSWORD", "STATUS")
    )


def test_every_name_and_alias_is_recognized_however_it_is_written() -> None:
    for column in COLUMNS:
        for name in (column.name, *column.aliases):
            for written in (name, name.lower(), f"[{name}]", name.replace("_", " ").title()):
                assert BY_SPELLING[fold_header(written)] is column


def test_no_name_means_two_columns() -> None:
    spellings = [fold_header(name) for column in COLUMNS for name in (column.name, *column.aliases)]
    assert len(spellings) == len(set(spellings))


_KEYS = {key for key, _ in KEYS_OF_EXCHANGE_FILES}
_NAMES = [
    pytest.param(name, column, id=f"{system} {name}")
    for system, names in NAMES_IN_OTHER_SYSTEMS.items()
    for name, column in names.items()
    if fold_header(name) not in _KEYS
]


@pytest.mark.parametrize(("name", "column"), _NAMES)
def test_the_name_of_another_system_is_recognized(name: str, column: str) -> None:
    assert BY_SPELLING[fold_header(name)] is BY_NAME[column]


_EMAIL_OF_254 = "x" * 64 + "@" + "y" * 185 + ".org"


@pytest.mark.parametrize(
    "cell",
    [
        "Student Id",
        "student-id",
        "STUDENT__ID",
        "studentId",
        "Student.ID",
        "Student_ID#",
        "STUDENT_ID *",
        "Student ID:",
        "[STUDENT_ID]",
        "(student id)",
        "<StudentID>",
        "`student_id`",
        "'student_id'",
        "\u201cStudent ID\u201d",
        "\ufeffSTUDENT_ID",
        '"Student ID"',
        "\u00a0student_id\u200b ",
        "stu\u00addent\u200bid",
        "student\nid",
        "\uff33\uff34\uff35\uff24\uff25\uff2e\uff34 ID",
    ],
)
def test_only_letters_and_digits_of_a_header_count(cell: str) -> None:
    assert fold_header(cell) == fold_header("STUDENT_ID") == "STUDENTID"


@pytest.mark.parametrize("cell", ["_STUDENT_ID", "[_Student Id]", '" _student-id"'])
def test_an_underscore_at_the_beginning_is_kept(cell: str) -> None:
    assert fold_header(cell) == "_STUDENTID"


@pytest.mark.parametrize(
    ("cell", "nameless"), [("", True), (' ""', True), ("\u200b", True), ("#", False)]
)
def test_a_blank_header_cell_has_no_name(cell: str, nameless: bool) -> None:
    assert is_nameless(cell) is nameless
    assert fold_header(cell) == ""


@pytest.mark.parametrize(
    ("column", "text", "canonical"),
    [
        ("STUDENT_ID", "00123", "00123"),
        ("STUDENT_ID", "aB.c_d-9", "aB.c_d-9"),
        ("USERNAME", "Ana.Brook@X", "ana.brook@x"),
        ("PASSWORD", "P@ssWord", "p@ssword"),
        ("PASSWORD", "=+-@", "=+-@"),
        ("FIRST_NAME", "Jose\u0301", "José"),
        ("LAST_NAME", "de  la\u00a0Cruz", "de la Cruz"),
        ("MIDDLE_INITIAL", "q.", "Q"),
        ("MIDDLE_INITIAL", "ß", "ß"),
        ("DOB", "5/3/2014", "2014-05-03"),
        ("DOB", "2012-02-29", "2012-02-29"),
        ("GENDER", "Female", "f"),
        ("GENDER", "Non-Binary", "x"),
        ("PARENT_EMAIL_1", _EMAIL_OF_254, _EMAIL_OF_254),
        ("GRADE", "Pre-K", "pk"),
        ("GRADE", "kg", "k"),
        ("GRADE", "03", "3"),
        ("GRADE", "11th", "11"),
        ("GRADE", "ADULT", "adult"),
        ("SCHOOL_ID", "100-A", "100-A"),
        ("ELL", "TRUE", "y"),
        ("MIGRANT", "0", "n"),
        ("RACE", "hispanic/latino of any race", "HI"),
        ("RACE", "wh", "WH"),
        (
            "CLASSIFICATIONS",
            "dyslexia & asperger\u2019s syndrome&Dyslexia",
            "Asperger's Syndrome&Dyslexia",
        ),
        ("PARENT_EMAIL_1", "Ana+x@Mail.Example", "ana+x@mail.example"),
        ("ADDITIONAL_INFO_2", "+1 555 0100", "+1 555 0100"),
        ("GROUPS", "Red &blue& red &Ana", "Ana&blue&Red"),
        ("STAFF", "B@x.example&a@x.example", "a@x.example&b@x.example"),
        ("STATUS", "Inactive", "inactive"),
    ],
)
def test_a_value_has_one_canonical_form(column: str, text: str, canonical: str) -> None:
    assert BY_NAME[column].rule(text) == canonical


@pytest.mark.parametrize(
    ("column", "text", "code"),
    [
        ("STUDENT_ID", "x" * 65, "bad_student_id"),
        ("STUDENT_ID", "12 34", "bad_student_id"),
        ("STUDENT_ID", "12e-5", "excel_scientific"),
        ("SCHOOL_ID", "100/A", "bad_school_id"),
        ("USERNAME", "a b", "bad_username"),
        ("USERNAME", "an\u200da", "invisible_char"),
        ("USERNAME", "@ana", "formula"),
        ("PASSWORD", "abc", "weak_password"),
        ("FIRST_NAME", "123", "bad_name"),
        ("FIRST_NAME", "-2+3", "formula"),
        ("FIRST_NAME", "An\u202ea", "invisible_char"),
        ("MIDDLE_INITIAL", "AB", "bad_initial"),
        ("MIDDLE_INITIAL", "1", "bad_initial"),
        ("DOB", "2/29/2013", "bad_date"),
        ("DOB", "1899-12-29", "bad_date"),
        ("DOB", "1899-12-31", "null_date"),
        ("DOB", "5/13/2014 late", "bad_date"),
        ("DOB", "1/2/14", "ambiguous_year"),
        ("DOB", "41772.5", "excel_serial_date"),
        ("DOB", "N/A", "placeholder"),
        ("GENDER", "girl", "bad_value"),
        ("GRADE", "15", "bad_value"),
        ("GRADE", "-1", "bad_value"),
        ("RACE", "WH&AS", "bad_value"),
        ("CLASSIFICATIONS", "Dyslexia&Flu", "bad_value"),
        ("PARENT_EMAIL_1", "a@b", "bad_email"),
        ("PARENT_EMAIL_1", f"{_EMAIL_OF_254}e", "bad_email"),
        ("PARENT_EMAIL_1", "a@b.example;c@d.example", "bad_email"),
        ("ADDITIONAL_INFO_1", "x" * 256, "text_too_long"),
        ("ADDITIONAL_INFO_1", "#REF!", "excel_error"),
        ("GROUPS", "&", "bad_value"),
        ("GROUPS", "Red&=cmd", "formula"),
        ("STAFF", "a@x.example&nobody", "bad_email"),
        ("STATUS", "gone", "bad_value"),
    ],
)
def test_an_invalid_value_has_a_code(column: str, text: str, code: str) -> None:
    result = BY_NAME[column].rule(text)
    assert isinstance(result, InvalidValue)
    assert result.code == code


def test_a_doubtful_value_is_accepted_with_a_warning() -> None:
    assert BY_NAME["DOB"].rule("5/13/2014 0:00") == ValueWithWarning("2014-05-13", "time_dropped")
    assert BY_NAME["LAST_NAME"].rule("<b>Ana") == ValueWithWarning("<b>Ana", "markup")


def test_a_date_with_the_day_first_has_its_own_hint() -> None:
    assert BY_NAME["DOB"].rule("13/05/2014") == InvalidValue(
        "bad_date", "the month comes first: use mm/dd/yyyy"
    )
    assert BY_NAME["DOB"].rule("02/30/2014") == InvalidValue("bad_date")


@pytest.mark.statement("S32")
@pytest.mark.parametrize("column", COLUMNS, ids=lambda column: column.name)
@pytest.mark.parametrize("letter", ["1", "a", "&", ".", "@", "/", "-", "\u0301", "<", "Ã", " x"])
def test_no_rule_is_slow_for_long_values(column: Column, letter: str) -> None:
    started = time.process_time()
    column.rule((letter * 100_000).strip())
    assert time.process_time() - started < 1
