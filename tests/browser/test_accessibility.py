"""Accessibility of every page in every state, in wide and narrow views with light and dark colors.

axe finds no violations, no page scrolls sideways at 320 pixels, which is 1280 at 400 %, and none is
large. What axe can't see is in ``beyond_axe.py``.
"""

from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

import pytest
from django.urls import resolve
from playwright.sync_api import Browser, Page

from tests import depth
from tests.browser.accessibility import VIEW_RULES, find_violations
from tests.browser.beyond_axe import (
    find_forced_color_problems,
    find_keyboard_problems,
    find_structure_problems,
)
from tests.browser.conftest import HEIGHT, Faults, Scheme, VisitorFactory, visitor_factory
from tests.browser.states import prepare, state_names, visits
from tests.endtoend.conftest import Rollbook
from tests.web.pages.test_matrix import RULES

pytestmark = pytest.mark.without_database

WIDTHS = (1280, 320)
SCHEMES: tuple[Scheme, ...] = ("light", "dark")
FIRST_VIEW = (WIDTHS[0], SCHEMES[0])
FILES_AND_FRAGMENTS = {
    "audit-download",
    "automation-first-call",
    "automation-script",
    "second-factor-qr",
    "students-csv",
    "students-sample",
    "students-template",
    "update-changes",
    "update-missing-csv",
    "update-not-processed",
    "update-progress",
    "update-rejected",
}
# The other views differ in colors and widths, which nearly all states take from the same styles.
STATES_IN_ALL_VIEWS = set(
    depth.sample(state_names(), "states in all views", daily=len(state_names()) // 8)
)
MAX_TRANSFERRED_BYTES = 100_000  # a page with its styles and scripts, as sent
_TRANSFERRED_BYTES = """
    ["navigation", "resource"]
        .flatMap(kind => performance.getEntriesByType(kind))
        .filter(entry => entry.initiatorType !== "xmlhttprequest")
        .reduce((sum, entry) => sum + entry.encodedBodySize, 0)
"""
_EXCESS_WIDTH_PX = "document.scrollingElement.scrollWidth - document.scrollingElement.clientWidth"


class Tour:
    """Visits the states in their order, because later states depend on earlier ones."""

    def __init__(self, rollbook: Rollbook, new_visitor: VisitorFactory, faults: Faults) -> None:
        self.faults = faults
        self.visited_states: set[str] = set()
        self.visited_pages: set[str | None] = set()
        self._visits = visits(rollbook, new_visitor)

    def go_to(self, name: str) -> Page:
        """Visit all states up to this one, and return its page."""
        assert name not in self.visited_states, f"state {name} was already visited"
        for state, page in self._visits:
            self.visited_states.add(state.name)
            if state.name != "not-found":
                self.visited_pages.add(resolve(urlsplit(page.url).path).url_name)
            if state.name == name:
                return page
        raise AssertionError(f"there is no state {name}")

    def finish(self) -> None:
        """Visit the remaining states."""
        for name in state_names():
            if name not in self.visited_states:
                self.go_to(name)


@pytest.fixture(scope="module")
def tour(browser: Browser, rollbook: Rollbook) -> Iterator[Tour]:
    prepare(rollbook)
    faults = Faults()
    with visitor_factory(
        browser, rollbook, faults, javascript=True, width=WIDTHS[0], scheme=SCHEMES[0]
    ) as new_visitor:
        yield Tour(rollbook, new_visitor, faults)


@pytest.mark.statement("S16")
@pytest.mark.parametrize("name", state_names())
def test_every_page_is_accessible_in_every_state(tour: Tour, name: str) -> None:
    page = tour.go_to(name)
    problems = [*_page_problems(page, name), *tour.faults.take()]
    assert not problems, "\n\n".join(problems)


def test_every_page_has_a_state(tour: Tour) -> None:
    tour.finish()
    assert tour.visited_states == set(state_names())
    assert _pages() - tour.visited_pages == set(), "states.py has no state of these pages"


def _pages() -> set[str]:
    """Return the names of the URLs that show a page; ``/slc/`` only redirects."""
    readable = {name for name, rule in RULES.items() if "GET" in rule.methods}
    return readable - FILES_AND_FRAGMENTS - {"slc"}


def _page_problems(page: Page, state: str) -> Iterator[str]:
    if page.locator("h1").count() != 1:
        yield "the page doesn't have exactly one h1"
    if not page.title().endswith(" · Rollbook"):
        yield f"the title is {page.title()}"
    if (transferred := page.evaluate(_TRANSFERRED_BYTES)) > MAX_TRANSFERRED_BYTES:
        yield f"the page has {transferred:,} bytes"
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": HEIGHT})
        if excess_px := page.evaluate(_EXCESS_WIDTH_PX):
            yield f"the page scrolls {excess_px} px sideways at {width} px"
        for scheme in SCHEMES:
            if (width, scheme) != FIRST_VIEW and state not in STATES_IN_ALL_VIEWS:
                continue
            page.emulate_media(color_scheme=scheme)
            for violation in find_violations(page, _rules(width, scheme)):
                yield f"{width} px, {scheme}: {violation}"
    page.set_viewport_size({"width": WIDTHS[0], "height": HEIGHT})
    page.emulate_media(color_scheme=SCHEMES[0])
    yield from find_structure_problems(page)
    yield from find_forced_color_problems(page)
    if state in STATES_IN_ALL_VIEWS:
        yield from find_keyboard_problems(page)


def _rules(width: int, scheme: Scheme) -> Sequence[str]:
    """Return the IDs of the rules to check in this view; an empty list means all rules."""
    if depth.NIGHTLY or (width, scheme) == FIRST_VIEW:
        return ()
    return VIEW_RULES
