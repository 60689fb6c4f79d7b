"""Every email in a browser: readable in light and dark colors, on a phone and on a wide screen."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.accessibility import VIEW_RULES, find_violations
from tests.browser.conftest import HEIGHT, Scheme
from tests.mail import gallery

pytestmark = pytest.mark.without_database

# An email program shows it within its own page, so the rules about landmarks don't apply.
RULES = [
    *VIEW_RULES,
    "document-title",
    "empty-heading",
    "empty-table-header",
    "heading-order",
    "html-has-lang",
    "link-name",
    "presentation-role-conflict",
    "td-has-header",
    "th-has-data-cells",
]
_EXCESS_WIDTH_PX = "document.scrollingElement.scrollWidth - document.scrollingElement.clientWidth"


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    page = browser.new_page()
    yield page
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 320])
def test_every_email_is_readable(page: Page, width: int, scheme: Scheme) -> None:
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.set_viewport_size({"width": width, "height": HEIGHT})
    page.emulate_media(color_scheme=scheme)
    found = {}
    for email in gallery.emails():
        page.set_content(email.html)
        problems = find_violations(page, RULES)
        if (excess := page.evaluate(_EXCESS_WIDTH_PX)) > 0:
            problems.append(f"{excess} px too wide")
        if problems:
            found[email.name] = problems
    assert found == {}
    assert requests == []


@pytest.mark.parametrize("width", [1280, 320])
def test_the_card_is_at_most_600_pixels_wide(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": HEIGHT})
    page.set_content(next(gallery.emails()).html)
    box = page.locator(".card").bounding_box()
    assert box
    assert box["width"] == min(600, width - 24)
