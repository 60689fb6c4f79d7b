"""Validating rows by columns gives the same as validating each row by itself, for every problem."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollbook.studentfile import cell_rules, row_validator
from rollbook.studentfile.cell_rules import CellRule
from rollbook.studentfile.columns import BY_NAME, COLUMNS
from rollbook.studentfile.file_validator import validate_rows
from rollbook.studentfile.limits import Limits
from rollbook.studentfile.problems.database_codes import DATABASE_PROBLEMS
from rollbook.studentfile.problems.problem import Problem
from rollbook.studentfile.problems.row_codes import ROW_CODES
from rollbook.studentfile.problems.undo_codes import UNDO_PROBLEMS
from rollbook.studentfile.reading.header import Header
from rollbook.studentfile.reading.reader import RawRow
from rollbook.studentfile.reading.row_damage import RowDamage
from rollbook.studentfile.row_validator import RowValidator, ValidatedRow
from rollbook.studentfile.rules import DateOrder, FileRules
from rollbook.studentfile.values.placeholders import PLACEHOLDERS
from tests import depth

TODAY = date(2026, 9, 1)
MAX_LENGTH = 300

VALID: Mapping[str, tuple[str, ...]] = {
    "STUDENT_ID": ("00123", "A17", "s-000", "x.y_z", "123456789012345", "900"),
    "USERNAME": ("ana17", "Ana.Brook", "ana.brook2014", "a-b", "josé"),
    "PASSWORD": ("amber1234", "Se-cret!", "A1B2", "00123"),
    "FIRST_NAME": ("Ana", "ANA", "José", "Jose\u0301", "Mary  Jane", "-", "."),
    "LAST_NAME": ("Brook", "O'Dell", "Dvořák", "-", "Lee"),
    "MIDDLE_INITIAL": ("m", "M.", "<clear>"),
    "DOB": ("2014-05-13", "05/13/2014", "5/13/2014", "5-Mar-2012"),
    "GENDER": ("f", "Female", " x "),
    "GRADE": ("4", "04", "4th", "K", "T1", "13"),
    "SCHOOL_ID": ("100", "1001", "s.1"),
    "ELL": ("y", "No"),
    "SPECIAL_ED": ("n", "TRUE"),
    "TITLE_1": ("1", "<CLEAR>"),
    "MIGRANT": ("n",),
    "RACE": ("WH", "white", "<clear>"),
    "CLASSIFICATIONS": ("Autism", "dyslexia&autism"),
    "PARENT_EMAIL_1": ("a@b.example", "A@B.Example", "<clear>"),
    "PARENT_EMAIL_2": ("ana+x@mail.example.com",),
    "ADDITIONAL_INFO_1": ("bus 17", "Ä", "<clear>"),
    "ADDITIONAL_INFO_2": ("bus", "x" * 41),
    "ADDITIONAL_INFO_3": ("bus",),
    "GROUPS": ("Band", "Band&Choir", "Choir & band", "Arts && Crafts"),
    "STAFF": ("t1@maple.example", "t1@maple.example&T2@maple.example"),
    "STATUS": ("active", "Inactive"),
}
"""Cells without a problem. Some have one in certain rows: beside others, or in certain files."""

CAUSES: Mapping[str, tuple[dict[str, str], ...]] = {
    "newline_in_field": ({"FIRST_NAME": "An\na"}, {"SCHOOL_ID": "10\r0"}),
    "field_too_long": ({"LAST_NAME": "x" * (MAX_LENGTH + 1)}, {"PASSWORD": "x1" * 50_000}),
    "no_key": ({"STUDENT_ID": "", "USERNAME": "", "FIRST_NAME": ""},),
    "excel_scientific": ({"STUDENT_ID": "1.23E+05"},),
    "excel_number": ({"USERNAME": "123.0"},),
    "excel_error": ({"PASSWORD": "#REF!"},),
    "formula": ({"FIRST_NAME": "=Ana"},),
    "control_char": ({"LAST_NAME": "Bro\x07ok"},),
    "invisible_char": ({"STUDENT_ID": "00\u200b123"},),
    "damaged_text": ({"FIRST_NAME": "JosÃ©"}, {"LAST_NAME": "Pe?a"}),
    "excel_date": ({"STUDENT_ID": "5-Mar"},),
    "masked_password": ({"PASSWORD": "********"},),
    "placeholder": ({"SCHOOL_ID": "NULL"}, {"FIRST_NAME": "-", "LAST_NAME": "."}),
    "non_ascii_id": ({"STUDENT_ID": "\u0410123"},),
    "bad_student_id": ({"STUDENT_ID": "1 2"},),
    "bad_school_id": ({"SCHOOL_ID": "1 2"},),
    "bad_username": ({"USERNAME": "ana brook"},),
    "weak_password": (
        {"PASSWORD": "abc"},
        {"USERNAME": "Amber1", "PASSWORD": "aMBER1"},
        {"STUDENT_ID": "Amber1", "PASSWORD": "amber1"},
    ),
    "bad_name": ({"LAST_NAME": "77"},),
    "bad_initial": ({"MIDDLE_INITIAL": "Mary"},),
    "bad_date": ({"DOB": "2/30/2015"}, {"DOB": "13/05/2014"}),
    "ambiguous_date": ({"DOB": "05/06/2014"},),
    "null_date": ({"DOB": "01/01/1900"}, {"DOB": "1970-01-01"}),
    "time_of_day": ({"DOB": "5/13/2014 8:30"},),
    "ambiguous_year": ({"DOB": "12/21/01"},),
    "excel_serial_date": ({"DOB": "41772"},),
    "future_date": ({"DOB": "2026-09-02"},),
    "bad_value": ({"GENDER": "q"}, {"GRADE": "-1"}),
    "bad_email": ({"PARENT_EMAIL_1": "ana at home"},),
    "text_too_long": ({"ADDITIONAL_INFO_1": "x" * 256},),
    "not_clearable": ({"FIRST_NAME": "<Clear>"},),
    "value_kept": ({"RACE": "green"}, {"STATUS": "gone"}, {"PARENT_EMAIL_2": "ana at home"}),
    "placeholder_blank": ({"RACE": "NULL"}, {"GROUPS": "n/a"}),
    "list_separator": ({"GROUPS": "Band;Choir"},),
    "line_breaks_joined": ({"ADDITIONAL_INFO_1": "12 Elm St\nApt 4"},),
    "trimmed": ({"STUDENT_ID": " 00123"}, {"SCHOOL_ID": "100\u00a0"}),
    "possible_rounding": ({"STUDENT_ID": "1234567890123450"},),
    "possible_placeholder": ({"FIRST_NAME": "Null"},),
    "markup": ({"LAST_NAME": "<b>Brook"},),
    "time_dropped": ({"DOB": "5/13/2014 0:00"},),
    "unusual_age": ({"DOB": "08/31/1990"},),
    "header_again": ({name: name for name in VALID}, {name: name.lower() for name in VALID}),
    "other_header": ({**{name: name for name in VALID}, "DOB": "Grade", "GRADE": "DOB"},),
    "too_few_cells": (),
    "too_many_cells": (),
    "bad_quote": (),
    "nul_byte": (),
}
"""Cells that cause each problem; those without any are caused by the shape of a row, see below."""

NEVER_BY_ONE_ROW = {"required", "looks_double_encoded"}
"""The first is found when a student is added, the second only in updates of earlier versions."""

FOUND_LATER = (*DATABASE_PROBLEMS, *UNDO_PROBLEMS)
CODES = sorted({code.code for code in ROW_CODES} - {code.code for code in FOUND_LATER})
MIXED = FileRules(DateOrder.MIXED, {"13": "adult", "t1": "1"}, epoch_is_null=True)
RULES = (FileRules(), FileRules(DateOrder.DAY_FIRST), MIXED)


def test_every_problem_of_a_row_has_a_cause_here() -> None:
    assert set(CODES) == CAUSES.keys() | NEVER_BY_ONE_ROW
    assert VALID.keys() == BY_NAME.keys()


def both_ways(
    names: Sequence[str], rows: Sequence[RawRow], rules: FileRules, *, keep_optional: bool
) -> tuple[list[ValidatedRow], list[ValidatedRow]]:
    """Return the rows validated by columns, in two batches, and one by one."""
    header, _ = Header.parse(names)
    by_columns, by_rows = (
        RowValidator(
            header, TODAY, Limits(cell_characters=MAX_LENGTH), rules, keep_optional=keep_optional
        )
        for _ in range(2)
    )
    half = len(rows) // 2
    batches = [*validate_rows(by_columns, rows[:half]), *validate_rows(by_columns, rows[half:])]
    return batches, [by_rows.validate(row) for row in rows]


def facts(row: ValidatedRow) -> tuple[Any, ...]:
    """Return everything that later steps see of a row, with the order of its values."""
    return row.line, [*row.values.items()], row.problems


def good_row(**cells: str) -> dict[str, str]:
    return {name: texts[0] for name, texts in VALID.items()} | cells


@pytest.mark.parametrize("code", CODES)
def test_a_row_with_a_problem_is_the_same_among_good_rows(code: str) -> None:
    shapes = {
        "too_few_cells": RawRow(9, ["00123"]),
        "too_many_cells": RawRow(9, ["00123"] * 99),
        "bad_quote": damaged("bad_quote"),
        "nul_byte": damaged("nul_byte"),
    }
    odd_rows = [RawRow(9, [*good_row(**cells).values()]) for cells in CAUSES.get(code, ())]
    odd_rows += [shapes[code]] if code in shapes else []
    assert odd_rows or code in NEVER_BY_ONE_ROW
    good = RawRow(8, [*good_row().values()])
    found = set()
    for rules in RULES:
        for keep_optional in (True, False):
            rows = [good, *odd_rows, good, *odd_rows]
            columns, single = both_ways([*VALID], rows, rules, keep_optional=keep_optional)
            assert list(map(facts, columns)) == list(map(facts, single))
            assert not columns[0].problems
            found |= {problem.code for row in columns for problem in row.problems}
    assert code in found or code in NEVER_BY_ONE_ROW


def test_only_rows_with_an_invalid_cell_are_left_to_the_other_way() -> None:
    validator = RowValidator(Header.parse([*VALID])[0], TODAY)
    odd, same = good_row(GENDER="q"), good_row(USERNAME="00123x", PASSWORD="00123X")
    rows = [RawRow(2, [*cells.values()]) for cells in (good_row(), odd, same)]
    columns = validator.validate_columns(rows)
    valid = validator.valid_rows(rows, columns, {0, 1, 2})
    assert [*valid] == [*columns.positions] == [0, 2]
    assert columns.uncertain == {1}
    good, across = valid[0], valid[2]
    assert good.values["GRADE"] == "4"
    assert [problem.code for problem in across.problems] == ["weak_password"]


def test_a_repeated_header_is_found_even_if_its_names_are_valid_values() -> None:
    names = ["USERNAME", "FIRST_NAME"]
    rows = [RawRow(2, ["ana17", "Ana"]), RawRow(3, names), RawRow(4, ["username", "First_Name"])]
    columns, single = both_ways(names, rows, FileRules(), keep_optional=True)
    assert list(map(facts, columns)) == list(map(facts, single))
    assert [problem.code for problem in columns[1].problems] == ["header_again"]


@pytest.mark.parametrize(
    ("names", "cells", "code"),
    [
        ("STUDENT_ID,USERNAME,PASSWORD", "StudentId,User-Name,password", "header_again"),
        ("STUDENT_ID,USERNAME,PASSWORD", "STUDENT_ID,PASSWORD,USERNAME", "other_header"),
        ("Homeroom,USERNAME,PASSWORD", "STUDENT_ID,PASSWORD,Homeroom", "other_header"),
        ("USERNAME,GROUPS", "Student-ID,USERNAME", "other_header"),
        ("FIRST_NAME,LAST_NAME,STUDENT_ID", "LAST_NAME,FIRST_NAME,STUDENT_ID", "other_header"),
        ("STUDENT_ID,SCHOOL_ID,GROUPS", "STUDENT_ID,GROUPS,SCHOOL_ID", "other_header"),
        ("STUDENT_ID,LAST_NAME,GROUPS", "status,Quill,Band", None),
        ("FIRST_NAME,LAST_NAME,USERNAME", "Race,Grade,rgrade", None),
        ("FIRST_NAME,LAST_NAME,USERNAME", "Race,Grade,Username", "other_header"),
    ],
)
def test_another_header_is_found_even_if_its_names_are_valid_values(
    names: str, cells: str, code: str | None
) -> None:
    row = RawRow(3, cells.split(","))
    plain = RawRow(2, ["plain1"] * len(row.cells))
    columns, single = both_ways(
        names.split(","), [plain, plain, plain, row], FileRules(), keep_optional=True
    )
    assert list(map(facts, columns)) == list(map(facts, single))
    assert [problem.code for problem in single[3].problems] == [code][: bool(code)]


def test_a_header_has_a_problem_in_every_column_that_accepts_no_name_of_a_column() -> None:
    rules = FileRules()
    accepting = {
        name
        for name in VALID
        if any(
            isinstance(CellRule(BY_NAME[name], rules, MAX_LENGTH, keep_optional=True)[text], str)
            for text in BY_NAME
        )
    }
    assert accepting == row_validator._ACCEPTING_NAMES


def damaged(code: str, line: int = 9) -> RawRow:
    damage = RowDamage((Problem(code, line, "LAST_NAME"),), frozenset({4}))
    return RawRow(line, [*good_row().values()], damage)


EXTRA = ("COLOR", "_NOTES", "", "Student ID", "BIRTHDATE", "surname", "DOB", "USERNAME")
ANY_CELL = st.text(max_size=6) | st.sampled_from(("", " ", "\u00a0", "<clear>", '" x"', "x" * 400))


@st.composite
def headers(draw: st.DrawFn) -> list[str]:
    """Draw a header: missing, unknown, nameless and repeated columns, in any order."""
    known = draw(st.lists(st.sampled_from([*VALID]), unique=True, min_size=1))
    usual = draw(st.sampled_from(([], ["STUDENT_ID", "USERNAME", "PASSWORD", *VALID])))
    names = [*dict.fromkeys([*known, *usual]), *draw(st.lists(st.sampled_from(EXTRA), max_size=3))]
    return draw(st.permutations(names)) if draw(st.booleans()) else names


@st.composite
def rows_of(draw: st.DrawFn, names: Sequence[str]) -> list[RawRow]:
    """Draw the rows of a batch; some are the same as others."""
    meanings = [column.name if column else "" for column in Header.parse(names)[0].columns]
    causes = st.sampled_from([cells for causes in CAUSES.values() for cells in causes])
    rows: list[RawRow] = []
    for line in range(2, 2 + draw(st.integers(0, 8))):
        cells = {name: draw(st.sampled_from(("", *texts))) for name, texts in VALID.items()}
        for odd in draw(st.lists(causes, max_size=2)):
            cells |= odd
        row = [cells.get(name, "red") for name in meanings]
        for at in draw(st.lists(st.integers(0, len(row) - 1), max_size=2)):
            row[at] = draw(ANY_CELL)
        changed = draw(st.sampled_from((row, row, row, row, [*names], row[:-1], [*row, "x"])))
        rows.append(RawRow(line, changed))
        if draw(st.integers(0, 9)) == 9:
            rows += [damaged("nul_byte", line), RawRow(line, list(changed))]
    return rows


@settings(max_examples=depth.examples(40), deadline=None)
@given(st.data(), headers(), st.sampled_from(RULES), st.booleans())
def test_columns_give_the_same_as_rows(
    data: st.DataObject, names: list[str], rules: FileRules, keep_optional: bool
) -> None:
    rows = data.draw(rows_of(names))
    columns, single = both_ways(names, rows, rules, keep_optional=keep_optional)
    assert list(map(facts, columns)) == list(map(facts, single))


WORDS = {*PLACEHOLDERS, "a" * 31 + "1", "d41d8cd98f00b204e9800998ecf8427e", "xxxx"}
PLAIN_COLUMNS = [column for column in COLUMNS if column.plain]


@pytest.mark.parametrize("column", PLAIN_COLUMNS, ids=lambda column: column.name)
@settings(max_examples=depth.examples(30))
@given(data=st.data())
def test_a_plain_text_is_its_own_value(data: st.DataObject, column: Any) -> None:
    text = data.draw(st.from_regex(column.plain, fullmatch=True))
    assert column.rule(text) == text
    rule = CellRule(column, FileRules(), 512, keep_optional=True)
    assert rule.validate_all([text]) == [rule[text]] == [text]
    limited = CellRule(column, FileRules(), len(text) - 1, keep_optional=True)
    assert limited.validate_all([text]) == [limited[text]] != [text]


@pytest.mark.parametrize("column", PLAIN_COLUMNS, ids=lambda column: column.name)
def test_no_word_with_a_meaning_of_its_own_is_plain(column: Any) -> None:
    words = {cell for causes in CAUSES.values() for cells in causes for cell in cells.values()}
    for word in words | WORDS:
        for text in (word, word.upper(), f" {word}", f"{word}\n"):
            rule = CellRule(column, FileRules(), 512, keep_optional=True)
            assert rule.validate_all([text]) == [rule[text]]


def test_memory_is_bounded_whatever_the_cells_contain() -> None:
    names = ["STUDENT_ID", "LAST_NAME", "ADDITIONAL_INFO_1", "GROUPS"]
    validator = RowValidator(Header.parse(names)[0], TODAY)
    long_cell = "x" * 100_000
    for first in range(0, 8000, 1000):
        numbers = range(first, first + 1000)
        rows = [RawRow(at, [str(at), f"n{at}", "", f"{at:0200}"]) for at in numbers]
        validate_rows(validator, [*rows, RawRow(first, ["x", "x", long_cell, long_cell])])
    cached = [rule for _, _, rule in validator._columns]
    assert max(map(len, cached)) <= cell_rules._MAX_CACHED_RESULTS
    assert all(len(text) <= cell_rules._MAX_CACHED_LENGTH for rule in cached for text in rule)
