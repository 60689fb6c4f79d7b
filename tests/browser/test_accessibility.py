"""Every page in every state: axe finds nothing, wide and narrow, light and dark; nothing scrolls sideways."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from django.urls import resolve
from playwright.sync_api import Page

from tests.browser.accessibility import violations
from tests.browser.conftest import HEIGHT, Visitor
from tests.browser.states import prepare, visits
from tests.doors.pages.test_matrix import RULES
from tests.endtoend.conftest import Rollbook

pytestmark = pytest.mark.without_database

WIDTHS = (1280, 320)
SCHEMES = ("light", "dark")
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


@pytest.mark.timeout(600)
def test_every_page_and_state_can_be_used_by_everybody(rollbook: Rollbook, visitor: Visitor) -> None:
    prepare(rollbook)
    found: list[str] = []
    seen: set[str | None] = set()
    for state, page in visits(rollbook, visitor):
        found += _faults(state.name, page)
        seen.add(resolve(urlsplit(page.url).path).url_name if state.name != "not-found" else None)
    assert not found, "\n\n".join(found)
    assert _pages() - seen == set(), "of these pages states.py has no state"


def _pages() -> set[str]:
    """The addresses under which one sees something; ``/slc/`` leads on."""
    return {name for name, rule in RULES.items() if "GET" in rule.methods} - FILES_AND_PARTS - {"slc"}


def _faults(name: str, page: Page) -> Iterator[str]:
    if page.locator("h1").count() != 1:
        yield f"{name}: not exactly one h1"
    if not page.title().endswith(" · Rollbook"):
        yield f"{name}: its title is {page.title()}"
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": HEIGHT})
        if sideways := page.evaluate(_SIDEWAYS):
            yield f"{name}: scrolls {sideways} px sideways at {width} px"
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            yield from (f"{name}, {width} px, {scheme}: {violation}" for violation in violations(page))
