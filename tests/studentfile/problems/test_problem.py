"""The closed list of problems, and what one problem says."""

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


def test_a_message_tells_what_happened_what_was_found_and_what_to_do() -> None:
    problem = Problem("bad_date", 17, "DOB", "02/30/2014")
    assert problem.message == "'02/30/2014' is not a real date; write mm/dd/yyyy"


def test_a_message_without_what_was_found_uses_the_title() -> None:
    message = Problem("weak_password", 3, "PASSWORD").message
    assert (
        message == "The password is not acceptable; choose another password of 4 to 64 characters"
    )


def test_a_hint_replaces_the_general_repair() -> None:
    assert Problem("bad_date", 2, "DOB", "x", "the month comes first").message.endswith(
        "; the month comes first"
    )


def test_text_that_looks_like_a_template_is_quoted_as_it_is() -> None:
    assert Problem("bad_value", 2, "GRADE", "{hint}{0}").message.startswith("'{hint}{0}' is not")


@pytest.mark.parametrize("kind", PROBLEM_CODES.values(), ids=lambda kind: kind.code)
def test_every_kind_can_be_read_as_one_sentence(kind: ProblemCode) -> None:
    assert re.fullmatch(r"[a-z0-9_]+", kind.code)
    assert kind.title[0].isupper()
    assert not kind.title.endswith(".")
    assert kind.cause.endswith(".")
    assert kind.repair
    assert not kind.repair.endswith(".")
    assert kind.repair[0].islower() or kind.repair.startswith("<")
    assert kind.phrase.count("{found}") == (1 if kind.phrase else 0)


def test_a_status_says_that_the_file_is_of_another_kind_or_too_large_or_unacceptable() -> None:
    statuses = {kind.status for kind in PROBLEM_CODES.values() if kind.severity is Severity.ERROR}
    assert statuses == {413, 415, 422}
    assert PROBLEM_CODES["too_large"].status == 413


@pytest.mark.parametrize(
    "code",
    [
        "unknown_student",
        "student_id_conflict",
        "identity_mismatch",
        "username_taken",
        "name_taken",
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
    warns = code in ("duplicate_row", "unknown_staff")
    assert PROBLEM_CODES[code].severity is (Severity.WARNING if warns else Severity.ERROR)


def test_what_cannot_be_seen_is_made_visible_and_long_text_is_cut() -> None:
    assert printable_excerpt("a\tb\u200b\u202ec") == "a<U+0009>b<U+200B><U+202E>c"
    assert len(printable_excerpt("x" * 600)) == MAX_EXCERPT
    assert printable_excerpt("é王") == "é王"
