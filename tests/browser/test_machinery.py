"""That the browser's tests can fail: whatever a page does wrong unseen is told."""

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser.accessibility import violations
from tests.browser.conftest import Faults

pytestmark = pytest.mark.without_database

WHOLE = '<!doctype html><html lang="en"><title>Page</title><body><main><h1>Page</h1>{}</main></body></html>'


class Quiet(SimpleHTTPRequestHandler):
    """Pages out of a folder, with the product's own policy."""

    def end_headers(self) -> None:
        self.send_header(
            "Content-Security-Policy", "default-src 'none'; script-src 'self'; connect-src 'self'"
        )
        super().end_headers()

    def log_message(self, *arguments: object) -> None:
        """Nobody reads it."""


@pytest.fixture
def site(tmp_path: Path) -> Iterator[str]:
    with ThreadingHTTPServer(("localhost", 0), partial(Quiet, directory=str(tmp_path))) as server:
        threading.Thread(target=server.serve_forever).start()
        yield f"http://localhost:{server.server_port}"
        server.shutdown()


def seen(
    browser: Browser, site: str, folder: Path, body: str, script: str = ""
) -> tuple[list[str], list[str]]:
    """What a browser and what axe notice of such a page."""
    (folder / "page.html").write_text(WHOLE.format(body), encoding="utf-8")
    (folder / "script.js").write_text(script, encoding="utf-8")
    (folder / "favicon.ico").touch()
    faults, context = Faults(), browser.new_context()
    page = context.new_page()
    faults.watch(page, site)
    page.goto(f"{site}/page.html")
    page.wait_for_timeout(200)
    found = violations(page)
    context.close()
    return faults.left(), found


def test_a_good_page_is_good(browser: Browser, site: str, tmp_path: Path) -> None:
    assert seen(browser, site, tmp_path, '<p>Well.</p><script src="script.js"></script>') == (
        [],
        [],
    )


@pytest.mark.parametrize(
    ("body", "script", "fault"),
    [
        ("", "console.warn('hm')", "console warning: hm"),
        ("", "throw new Error('oh')", "page error: oh"),
        ("", "fetch('/nothing')", "answer 404: "),
        ('<p style="color: red">x</p>', "", "console error: "),
        ("<script>1</script>", "", "console error: "),
        ('<img src="https://elsewhere.example/x.png" alt="">', "", "console error: "),
    ],
)
def test_what_goes_wrong_is_told(
    browser: Browser, site: str, tmp_path: Path, body: str, script: str, fault: str
) -> None:
    told, _ = seen(browser, site, tmp_path, f'{body}<script src="script.js"></script>', script)
    assert any(each.startswith(fault) for each in told), told


def test_what_axe_finds_is_told_with_its_element(
    browser: Browser, site: str, tmp_path: Path
) -> None:
    _, [found] = seen(browser, site, tmp_path, "<input>")
    assert found.startswith("label (critical): ")
    assert "<input>" in found
