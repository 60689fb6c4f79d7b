"""The operators' pages in a real browser: Django's own, under our content security policy."""

from playwright.sync_api import Browser, Page, expect

from tests.browser.accessibility import violations
from tests.browser.conftest import BOTH_WAYS, Faults, origin_of
from tests.endtoend.conftest import two_districts
from tests.endtoend.operators import Operators, lived_in, operators

__all__ = ["lived_in", "operators", "two_districts"]


@BOTH_WAYS
def test_an_operator_signs_in_views_tables_and_signs_out(
    browser: Browser, operators: Operators, faults: Faults, javascript: bool
) -> None:
    context = browser.new_context(
        base_url=operators.url, ignore_https_errors=True, java_script_enabled=javascript
    )
    # axe reads the style sheets of Django's in a way of its own, which the browser complains of: it gets another page.
    page, for_axe = context.new_page(), context.new_page()
    faults.watch(page, origin_of(operators.url))
    page.goto("/")
    found = _violations(for_axe, "/", javascript)
    page.get_by_label("One-time secret, printed by rollbook admin").fill(operators.secret)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Server data")
    for address in (
        "/",
        "/accounts/member/",
        "/updates/updatejob/",
        "/accounts/auditevent/",
        "/districts/district/1/change/",
    ):
        page.goto(address)
        found += _violations(for_axe, address, javascript)
    page.goto("/updates/updatejob/")
    page.locator("#result_list tbody th a").click()
    expect(page.get_by_role("main")).to_contain_text("base.csv")
    assert page.locator("main input:not([type=hidden])").count() == 0
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
    context.close()
    assert not found, "\n\n".join(found)


def _violations(page: Page, address: str, javascript: bool) -> list[str]:
    """axe is a script."""
    page.goto(address)
    return [f"{address}: {violation}" for violation in violations(page)] if javascript else []
