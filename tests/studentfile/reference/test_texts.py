"""What is said once about the student file, for the documentation and the pages: complete, and readable by both."""

from collections.abc import Iterable

from rollbook.studentfile.columns import COLUMNS, REQUIRED_TO_ADD
from rollbook.studentfile.limits import Limits
from rollbook.studentfile.problems.codes import Scope, Severity
from rollbook.studentfile.problems.problem import PROBLEM_CODES
from rollbook.studentfile.reference import texts

MEANINGS = {
    "The file is refused": (Scope.FILE, Severity.ERROR),
    "The row is rejected": (Scope.ROW, Severity.ERROR),
    "Warnings about the file": (Scope.FILE, Severity.WARNING),
    "Warnings about a row": (Scope.ROW, Severity.WARNING),
}


def test_every_kind_of_problem_is_in_one_group() -> None:
    grouped = [kind.code for kinds in texts.PROBLEM_GROUPS.values() for kind in kinds]
    assert sorted(grouped) == sorted(PROBLEM_CODES)


def test_each_group_holds_what_its_title_says() -> None:
    assert texts.PROBLEM_GROUPS.keys() == MEANINGS.keys()
    for title, kinds in texts.PROBLEM_GROUPS.items():
        assert {(kind.scope, kind.severity) for kind in kinds} == {MEANINGS[title]}


def _texts() -> Iterable[str]:
    yield from (*texts.FILE_RULES, *texts.VALUE_RULES, *texts.MATCHING, *texts.AFTER_MATCHING)
    yield from (column.values for column in COLUMNS)
    yield from (text for kind in PROBLEM_CODES.values() for text in (kind.cause, kind.repair))


def _is_whole(text: str) -> bool:
    """Whoever shows it takes every other part between backticks as code."""
    parts = text.split("`")
    return len(parts) % 2 == 1 and all(parts[1::2])


def test_code_in_a_text_ends_where_it_should() -> None:
    assert not [text for text in _texts() if not _is_whole(text)]


def test_limits_are_told_with_their_numbers() -> None:
    told = texts.limits(Limits(rows=1_234, bytes=5_678_901))
    assert told[:2] == ("1,234 rows", "5,678,901 bytes a file")


def test_what_a_new_student_needs_is_told() -> None:
    told = texts.MATCHING[-1]
    assert not [name for name in REQUIRED_TO_ADD if f"`{name}`" not in told]
