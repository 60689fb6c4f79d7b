"""Test that the checks of what axe can't see find it."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.beyond_axe import (
    find_forced_color_problems,
    find_keyboard_problems,
    find_structure_problems,
)

pytestmark = pytest.mark.without_database

GOOD = """<!doctype html><title>x</title><main><h1>One</h1><h2>Two</h2>
<nav aria-label="Pages"><a href="#a">A</a></nav><nav aria-label="Rows"><a href="#b">B</a></nav>
<form><input type="date"><input type="radio" name="r"><input type="radio" name="r" checked>
<button>Save</button></form>
<details><summary>More</summary><a href="#c">C</a></details>
<div hx-trigger="every 2s" role="status">Checking</div></main>"""

BACK_AND_FORTH = """<a href=# onkeydown="event.preventDefault(); c.focus()">A</a>
<a id=b href=# onkeydown="event.preventDefault(); this.blur()">B</a>
<a id=c href=# onkeydown="event.preventDefault(); b.focus()">C</a>"""


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """An empty page."""
    page = browser.new_page()
    yield page
    page.close()


def test_a_good_page_has_no_problems(page: Page) -> None:
    page.set_content(GOOD)
    assert find_structure_problems(page) == []
    assert list(find_keyboard_problems(page)) == []
    assert list(find_forced_color_problems(page)) == []


@pytest.mark.parametrize(
    ("html", "problem"),
    [
        ("<h1>One</h1><h3>Three</h3>", 'h3 "Three" follows h1'),
        ("<h2>Two</h2>", 'h2 "Two" follows h0'),
        ("<nav>a</nav><nav>b</nav>", "2 landmarks of the role navigation have no name"),
        (
            "<section aria-label=Rows>a</section><div role=region aria-label=Rows>b</div>",
            '2 region landmarks are named "Rows"',
        ),
        ("<a href=# tabindex=2>A</a>", "A has a positive tabindex"),
        ("<div hx-trigger='every 2s'>x</div>", "DIV changes by itself and isn't a live region"),
    ],
)
def test_a_wrong_structure_is_found(page: Page, html: str, problem: str) -> None:
    page.set_content(html)
    assert find_structure_problems(page) == [problem]


@pytest.mark.parametrize(
    ("html", "problem"),
    [
        ("<a href=#>A</a><a href=# style='outline: none'>B</a>", "the focus can't be seen on <a"),
        ("<a href=#>A</a><a href=# tabindex=1>B</a>", "Tab doesn't reach 1 of 2 stops: [1]"),
        (BACK_AND_FORTH, "the focus goes back and forth: [0, 2, 1]"),
        (
            "<a href=#>A</a><a href=# onfocus='this.blur()'>B</a><a href=#>C</a>",
            "Tab doesn't reach",
        ),
    ],
)
def test_what_the_keyboard_alone_cannot_do_is_found(page: Page, html: str, problem: str) -> None:
    page.set_content(html)
    assert any(found.startswith(problem) for found in find_keyboard_problems(page))


def test_a_button_that_is_only_a_color_is_found(page: Page) -> None:
    page.set_content("<button style='border: 0; background: red'>Save</button><button>B</button>")
    (problem,) = find_forced_color_problems(page)
    assert problem.startswith("there is no border in forced colors: <button style=")
