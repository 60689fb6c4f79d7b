"""Every page in every state: axe finds nothing, wide and narrow, light and dark; nothing scrolls sideways."""

from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

import pytest
from django.urls import resolve
from playwright.sync_api import Browser, Page

from tests import depth
from tests.browser.accessibility import VIEW_RULES, violations
from tests.browser.conftest import HEIGHT, Faults, Scheme, Visitor, visiting
from tests.browser.states import names, prepare, visits
from tests.endtoend.conftest import Rollbook
from tests.web.pages.test_matrix import RULES

pytestmark = pytest.mark.without_database

WIDTHS = (1280, 320)
SCHEMES: tuple[Scheme, ...] = ("light", "dark")
FILES_AND_PARTS = {
    "audit-download",
    "automation-script",
    "second-factor-qr",
    "students-template",
    "update-changes",
    "update-not-processed",
    "update-progress",
    "update-rejected",
}
_SIDEWAYS = "document.scrollingElement.scrollWidth - document.scrollingElement.clientWidth"


class Tour:
    """The states one after the other: each leaves behind what the next ones show."""

    def __init__(self, rollbook: Rollbook, visitor: Visitor, faults: Faults) -> None:
        self.faults = faults
        self.shown: set[str] = set()
        self.seen: set[str | None] = set()
        self._visits = visits(rollbook, visitor)

    def go_to(self, name: str) -> Page:
        """Return the page that shows this state, by way of all states before it."""
        assert name not in self.shown, "the tour does not go back"
        for state, page in self._visits:
            self.shown.add(state.name)
            if state.name != "not-found":
                self.seen.add(resolve(urlsplit(page.url).path).url_name)
            if state.name == name:
                return page
        raise AssertionError(f"no state is called {name}")

    def finish(self) -> None:
        """Visit the states that are left."""
        for state in names():
            if state not in self.shown:
                self.go_to(state)


@pytest.fixture(scope="module")
def tour(browser: Browser, rollbook: Rollbook) -> Iterator[Tour]:
    prepare(rollbook)
    faults = Faults()
    with visiting(
        browser, rollbook, faults, javascript=True, width=WIDTHS[0], scheme=SCHEMES[0]
    ) as visitor:
        yield Tour(rollbook, visitor, faults)


@pytest.mark.parametrize("name", names())
def test_every_page_and_state_can_be_used_by_everybody(tour: Tour, name: str) -> None:
    page = tour.go_to(name)
    found = [*_faults(page), *tour.faults.taken()]
    assert not found, "\n\n".join(found)


def test_every_page_has_a_state(tour: Tour) -> None:
    tour.finish()
    assert tour.shown == set(names())
    assert _pages() - tour.seen == set(), "of these pages states.py has no state"


def _pages() -> set[str]:
    """The addresses under which one sees something; ``/slc/`` leads on."""
    return (
        {name for name, rule in RULES.items() if "GET" in rule.methods} - FILES_AND_PARTS - {"slc"}
    )


def _faults(page: Page) -> Iterator[str]:
    if page.locator("h1").count() != 1:
        yield "not exactly one h1"
    if not page.title().endswith(" · Rollbook"):
        yield f"its title is {page.title()}"
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": HEIGHT})
        if sideways := page.evaluate(_SIDEWAYS):
            yield f"scrolls {sideways} px sideways at {width} px"
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme)
            for violation in violations(page, _rules(width, scheme)):
                yield f"{width} px, {scheme}: {violation}"
    page.set_viewport_size({"width": WIDTHS[0], "height": HEIGHT})
    page.emulate_media(color_scheme=SCHEMES[0])


def _rules(width: int, scheme: Scheme) -> Sequence[str]:
    """Return which rules to try in this view; none means all of them."""
    if depth.NIGHTLY or (width, scheme) == (WIDTHS[0], SCHEMES[0]):
        return ()
    return VIEW_RULES
