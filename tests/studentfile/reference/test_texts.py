"""The description of the student file: complete, and valid for the documentation and the pages."""

from collections.abc import Iterable

from rollbook.studentfile.columns import COLUMNS, REQUIRED_TO_ADD
from rollbook.studentfile.limits import Limits
from rollbook.studentfile.problems.codes import Scope, Severity
from rollbook.studentfile.problems.problem import PROBLEM_CODES
from rollbook.studentfile.reference import texts

MEANINGS = {
    "Files that aren't accepted": (Scope.FILE, Severity.ERROR),
    "Rejected rows": (Scope.ROW, Severity.ERROR),
    "Warnings about files": (Scope.FILE, Severity.WARNING),
    "Warnings about rows": (Scope.ROW, Severity.WARNING),
}


def test_every_problem_code_is_in_one_group() -> None:
    grouped = [entry.code for codes in texts.PROBLEM_GROUPS.values() for entry in codes]
    assert sorted(grouped) == sorted(PROBLEM_CODES)


def test_each_group_contains_the_codes_that_its_title_names() -> None:
    assert texts.PROBLEM_GROUPS.keys() == MEANINGS.keys()
    for title, codes in texts.PROBLEM_GROUPS.items():
        assert {(code.scope, code.severity) for code in codes} == {MEANINGS[title]}


def _texts() -> Iterable[str]:
    yield from (*texts.FILE_RULES, *texts.VALUE_RULES, *texts.MATCHING, *texts.AFTER_MATCHING)
    yield from (column.values for column in COLUMNS)
    yield from (text for code in PROBLEM_CODES.values() for text in (code.cause, code.fix))


def _has_paired_backticks(text: str) -> bool:
    """Every other part between backticks is shown as code."""
    parts = text.split("`")
    return len(parts) % 2 == 1 and all(parts[1::2])


def test_backticks_are_paired() -> None:
    assert not [text for text in _texts() if not _has_paired_backticks(text)]


def test_limits_are_listed_with_their_numbers() -> None:
    lines = texts.limits(Limits(rows=1_234, bytes=5_678_901))
    assert lines[:2] == ("1,234 rows", "5,678,901 bytes per file")


def test_the_required_columns_of_a_new_student_are_listed() -> None:
    text = texts.MATCHING[-1]
    assert not [name for name in REQUIRED_TO_ADD if f"`{name}`" not in text]
