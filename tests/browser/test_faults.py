"""The browser tests detect faults: errors on pages that nobody would see."""

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser.accessibility import find_violations
from tests.browser.conftest import Faults

pytestmark = pytest.mark.without_database

PAGE = (
    '<!doctype html><html lang="en"><title>Page</title>'
    "<body><main><h1>Page</h1>{}</main></body></html>"
)
SCRIPT = '<script src="script.js"></script>'


class PageHandler(SimpleHTTPRequestHandler):
    """Serves the files of a folder with Rollbook's content security policy."""

    def end_headers(self) -> None:
        self.send_header(
            "Content-Security-Policy", "default-src 'none'; script-src 'self'; connect-src 'self'"
        )
        super().end_headers()

    def log_message(self, *arguments: object) -> None:
        """Log nothing."""


@pytest.fixture
def site(tmp_path: Path) -> Iterator[str]:
    handler = partial(PageHandler, directory=str(tmp_path))
    with ThreadingHTTPServer(("localhost", 0), handler) as server:
        threading.Thread(target=server.serve_forever).start()
        yield f"http://localhost:{server.server_port}"
        server.shutdown()


def check_page(
    browser: Browser, site: str, folder: Path, body: str, script: str = ""
) -> tuple[list[str], list[str]]:
    """Open a page with this body and script, and return its faults and axe's violations."""
    (folder / "page.html").write_text(PAGE.format(body), encoding="utf-8")
    (folder / "script.js").write_text(script, encoding="utf-8")
    (folder / "favicon.ico").touch()
    faults, context = Faults(), browser.new_context()
    page = context.new_page()
    faults.watch(page, site)
    page.goto(f"{site}/page.html")
    page.wait_for_timeout(200)
    violations = find_violations(page)
    context.close()
    return faults.reported, violations


def test_a_good_page_has_no_faults(browser: Browser, site: str, tmp_path: Path) -> None:
    assert check_page(browser, site, tmp_path, f"<p>Well.</p>{SCRIPT}") == ([], [])


@pytest.mark.parametrize(
    ("body", "script", "fault"),
    [
        ("", "console.warn('hm')", "console warning: hm"),
        ("", "throw new Error('oh')", "page error: oh"),
        ("", "fetch('/nothing')", "response 404: "),
        ('<p style="color: red">x</p>', "", "console error: "),
        ("<script>1</script>", "", "console error: "),
        ('<img src="https://elsewhere.example/x.png" alt="">', "", "console error: "),
    ],
)
def test_each_kind_of_fault_is_reported(
    browser: Browser, site: str, tmp_path: Path, body: str, script: str, fault: str
) -> None:
    faults, _ = check_page(browser, site, tmp_path, f"{body}{SCRIPT}", script)
    assert any(each.startswith(fault) for each in faults), faults


def test_a_violation_is_reported_with_its_element(
    browser: Browser, site: str, tmp_path: Path
) -> None:
    _, [violation] = check_page(browser, site, tmp_path, "<input>")
    assert violation.startswith("label (critical): ")
    assert "<input>" in violation
