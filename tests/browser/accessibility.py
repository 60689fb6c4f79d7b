"""Whether a page can be used by everybody, as far as axe can tell: its source is evaluated in the page."""

from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from playwright.sync_api import Page

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
VIEW_RULES = ["color-contrast", "link-in-text-block", "target-size"]
"""What may differ between a wide and a narrow view, or between light and dark colors."""

_RUN = "only => axe.run(document, {runOnly: only, resultTypes: ['violations']})"


@cache
def _source() -> str:
    return files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")


def violations(page: Page, rules: Sequence[str] = ()) -> list[str]:
    """Return what axe finds on the page as it is: the rule, what it is about, and the elements.

    Without ``rules``, those of all ``TAGS``.
    """
    only = {"type": "tag", "values": TAGS}
    if rules:
        only = {"type": "rule", "values": list(rules)}
    if not page.evaluate("'axe' in window"):
        page.evaluate(_source())
    found: list[dict[str, Any]] = page.evaluate(_RUN, only)["violations"]
    return [
        f"{each['id']} ({each['impact']}): {each['help']}\n"
        + "\n".join(
            f"    {node['html'][:200]}\n      {node['failureSummary']}" for node in each["nodes"]
        )
        for each in found
    ]


def accessible(page: Page) -> None:
    """Fails with what axe found."""
    found = violations(page)
    assert not found, f"{page.url}\n" + "\n".join(found)
