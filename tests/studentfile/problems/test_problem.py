"""The list of problem codes, and the message of a problem."""

import re

import pytest

from rollbook.studentfile.problems.problem import (
    MAX_EXCERPT,
    PROBLEM_CODES,
    Problem,
    ProblemCode,
    Severity,
    printable_excerpt,
)


def test_a_message_contains_what_is_wrong_the_value_and_the_fix() -> None:
    problem = Problem("bad_date", 17, "DOB", "02/30/2014")
    assert problem.message == '"02/30/2014" isn\'t a valid date. Use mm/dd/yyyy'


def test_a_message_without_a_value_uses_the_title() -> None:
    message = Problem("weak_password", 3, "PASSWORD").message
    assert message == "The password can't be used. Choose another password with 4 to 64 characters"


def test_a_message_names_what_the_column_contains() -> None:
    assert Problem("bad_value", 3, "GRADE", "99", "use PK, K, 1–12 or Adult").message == (
        '"99" isn\'t a grade we recognize. Use PK, K, 1–12 or Adult'
    )
    assert Problem("bad_value", 3, "ELL", "x").message.startswith('"x" isn\'t a value we')


def test_a_hint_replaces_the_general_fix() -> None:
    assert Problem("bad_date", 2, "DOB", "x", "the month comes first").message.endswith(
        ". The month comes first"
    )


def test_a_value_that_looks_like_a_template_is_quoted_unchanged() -> None:
    problem = Problem("bad_value", 2, "GRADE", "{hint}{0}{noun}{found}")
    assert problem.message.startswith('"{hint}{0}{noun}{found}" isn\'t a grade')


@pytest.mark.parametrize("definition", PROBLEM_CODES.values(), ids=lambda code: code.code)
def test_the_texts_of_every_code_can_be_joined(definition: ProblemCode) -> None:
    assert re.fullmatch(r"[a-z0-9_]+", definition.code)
    assert definition.title[0].isupper()
    assert not definition.title.endswith(".")
    assert definition.cause.endswith(".")
    assert definition.fix
    assert not definition.fix.endswith(".")
    assert definition.fix[0].islower() or definition.fix.startswith("<")
    assert definition.phrase.count("{found}") == (1 if definition.phrase else 0)


def test_a_status_says_that_the_file_is_of_another_kind_or_too_large_or_unacceptable() -> None:
    statuses = {
        definition.status
        for definition in PROBLEM_CODES.values()
        if definition.severity is Severity.ERROR
    }
    assert statuses == {413, 415, 422}
    assert PROBLEM_CODES["too_large"].status == 413


@pytest.mark.parametrize(
    "code",
    [
        "unknown_student",
        "student_id_conflict",
        "identity_mismatch",
        "username_taken",
        "ambiguous_student",
        "similar_student_id",
        "names_exchanged",
        "possible_duplicate",
        "student_id_taken",
        "conflicting_duplicate",
        "duplicate_row",
        "unknown_school",
        "unknown_staff",
        "changed_meanwhile",
        "waits_for_rejected",
        "required",
        "no_key",
        "internal_error",
    ],
)
def test_what_an_update_finds_out_about_a_row_is_in_the_list(code: str) -> None:
    warns = code in ("duplicate_row", "unknown_staff", "possible_duplicate")
    assert PROBLEM_CODES[code].severity is (Severity.WARNING if warns else Severity.ERROR)


def test_what_cannot_be_seen_is_made_visible_and_long_text_is_cut() -> None:
    assert printable_excerpt("a\tb\u200b\u202ec") == "a<U+0009>b<U+200B><U+202E>c"
    assert len(printable_excerpt("x" * 600)) == MAX_EXCERPT
    assert printable_excerpt("é王") == "é王"
