"""The operators' site, which is Django's admin, in a browser with our security policy."""

from playwright.sync_api import Browser, Page, expect

from tests.browser.accessibility import find_violations
from tests.browser.conftest import WITH_AND_WITHOUT_SCRIPTS, Faults, origin_of
from tests.endtoend.conftest import two_districts
from tests.endtoend.operators import Operators, lived_in, operators

__all__ = ["lived_in", "operators", "two_districts"]


@WITH_AND_WITHOUT_SCRIPTS
def test_an_operator_signs_in_views_tables_and_signs_out(
    browser: Browser, operators: Operators, faults: Faults, javascript: bool
) -> None:
    context = browser.new_context(
        base_url=operators.url, ignore_https_errors=True, java_script_enabled=javascript
    )
    # How axe reads Django's style sheets causes errors in the browser's console, so it gets a
    # page of its own, which is not watched.
    page, axe_page = context.new_page(), context.new_page()
    faults.watch(page, origin_of(operators.url))
    page.goto("/")
    violations = _violations_at(axe_page, "/", javascript)
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
        violations += _violations_at(axe_page, address, javascript)
    page.goto("/updates/updatejob/")
    page.locator("#result_list tbody th a").click()
    expect(page.get_by_role("main")).to_contain_text("base.csv")
    assert page.locator("main input:not([type=hidden])").count() == 0
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
    context.close()
    assert not violations, "\n\n".join(violations)


def _violations_at(page: Page, address: str, javascript: bool) -> list[str]:
    """Open the address and return its violations; none without scripts, because axe is one."""
    page.goto(address)
    if not javascript:
        return []
    return [f"{address}: {violation}" for violation in find_violations(page)]
