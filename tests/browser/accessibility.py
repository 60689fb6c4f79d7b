"""Check the accessibility of a page with axe, whose source is evaluated in the page."""

from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from playwright.sync_api import Page

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
VIEW_RULES = ["color-contrast", "link-in-text-block", "target-size"]
"""Rules whose results can differ between wide and narrow views, or light and dark colors."""

_RUN_AXE = "only => axe.run(document, {runOnly: only, resultTypes: ['violations']})"
_MAX_HTML_CHARS = 200


@cache
def _axe_source() -> str:
    return files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")


def find_violations(page: Page, rules: Sequence[str] = ()) -> list[str]:
    """Return the violations on the page in its current state.

    Args:
        page: The page to check.
        rules: The IDs of the rules to check; if empty, all rules with one of ``TAGS``.

    Returns:
        For each violated rule a text with its ID, impact, description and elements.
    """
    only = {"type": "tag", "values": TAGS}
    if rules:
        only = {"type": "rule", "values": list(rules)}
    if not page.evaluate("'axe' in window"):
        page.evaluate(_axe_source())
    violations: list[dict[str, Any]] = page.evaluate(_RUN_AXE, only)["violations"]
    return [_describe(violation) for violation in violations]


def assert_accessible(page: Page) -> None:
    """Fail with the violations that axe finds on the page, if there are any."""
    violations = find_violations(page)
    assert not violations, f"{page.url}\n" + "\n".join(violations)


def _describe(violation: dict[str, Any]) -> str:
    elements = [
        f"    {node['html'][:_MAX_HTML_CHARS]}\n      {node['failureSummary']}"
        for node in violation["nodes"]
    ]
    heading = f"{violation['id']} ({violation['impact']}): {violation['help']}"
    return heading + "\n" + "\n".join(elements)
