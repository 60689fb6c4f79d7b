"""The reference page is up to date and complete."""

from pathlib import Path

from rollbook.studentfile.columns import EXACT_NAMES
from rollbook.studentfile.problems.problem import PROBLEM_CODES
from rollbook.studentfile.reference.markdown import page

PAGE = Path(__file__).parents[3] / "docs" / "student-file.md"


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run make docs"


def test_every_column_and_every_problem_is_on_the_page() -> None:
    text = page()
    assert not [name for name in (*EXACT_NAMES, *PROBLEM_CODES) if f"`{name}`" not in text]
