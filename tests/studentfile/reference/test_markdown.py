"""The reference page is the one the code writes, and nothing is missing from it."""

from pathlib import Path

from rollbook.studentfile.columns import BY_SPELLING
from rollbook.studentfile.problems.problem import PROBLEM_CODES
from rollbook.studentfile.reference.markdown import page

PAGE = Path(__file__).parents[3] / "docs" / "student-file.md"


def test_the_page_is_not_stale() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run make docs"


def test_every_column_and_every_problem_is_explained() -> None:
    text = page()
    assert not [name for name in (*BY_SPELLING, *PROBLEM_CODES) if f"`{name}`" not in text]
