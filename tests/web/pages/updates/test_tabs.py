"""Test the rows of an update's page: how many problems of each are listed, and one row alone."""

import pytest

from rollbook.accounts.models import Member
from rollbook.districts.models import District
from rollbook.studentfile.columns import COLUMNS
from rollbook.updates.reporting.rows import MAX_LISTED_PROBLEMS
from tests.updates.night import a_class, enroll, finish, send
from tests.web.pages.conftest import SignedIn, Visitor
from tests.web.pages.reading import Page

ROWS = 20
PROBLEMS = 22


@pytest.fixture
def browser(maple: District, manager: Member, visitor: SignedIn) -> Visitor:
    """Update 2 has a right row, and after it 20 with 22 errors each."""
    enroll(maple, a_class(2, GRADE="4"))
    names = [column.name for column in COLUMNS if column.name != "STATUS"]
    wrong = ",".join("a\u202eb" if name != "STUDENT_ID" else "s001" for name in names)
    right = ",".join({"STUDENT_ID": "s000", "GRADE": "9"}.get(name, "") for name in names)
    finish(send(maple, "\n".join([",".join(names), right, *[wrong] * ROWS])))
    return visitor(manager)


def problems_in(page: Page) -> list[int]:
    """Return how many lines the last cell of each row has: problems, and the link to more."""
    (table,) = page.main.iterfind(".//div[@aria-label='Table of rows']/table")
    return [len(list(row[-1].iter("li"))) for row in table.iterfind(".//tbody/tr")]


def test_a_page_with_many_problems_has_less_than_100_kb(browser: Visitor) -> None:
    for address in ("/updates/2", "/updates/2/rows"):
        page = browser.read(address)
        assert len(page.response.content) < 100_000, address
        assert problems_in(page).count(MAX_LISTED_PROBLEMS + 1) == ROWS


def test_the_rest_of_a_rows_problems_is_one_click_away(browser: Visitor) -> None:
    page = browser.read("/updates/2")
    text = next(text for text in page.links if "more problem" in text and "of line 7" in text)
    hidden = int(text.split()[0])
    assert hidden + MAX_LISTED_PROBLEMS >= PROBLEMS
    page = browser.read(page.links[text].partition("#")[0])
    assert problems_in(page) == [hidden + MAX_LISTED_PROBLEMS]
    assert "Line 7. Show all rows" in page.text
    assert page.links["Show all rows"] == "/updates/2?show=rejected#rows"


def test_a_row_with_few_problems_has_no_link(browser: Visitor, maple: District) -> None:
    finish(send(maple, "STUDENT_ID,GRADE\ns000,99\n"))
    page = browser.read("/updates/3")
    assert problems_in(page) == [1]
    assert not any("more problem" in text for text in page.links)


@pytest.mark.parametrize("line", ["1", "999999999"])
def test_a_line_without_a_listed_row_says_so(browser: Visitor, line: str) -> None:
    page = browser.read(f"/updates/2?line={line}")
    assert "The row on this line changed nothing, or there is none." in page.text


@pytest.mark.parametrize("line", ["", "x", "-1", "1" * 10, "²"])
def test_what_is_no_line_shows_all_rows(browser: Visitor, line: str) -> None:
    assert len(problems_in(browser.read(f"/updates/2?line={line}"))) == ROWS
