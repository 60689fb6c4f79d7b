"""Fixtures for tests in headless Chromium against a complete server.

A test fails if its pages cause errors in the browser, even invisible ones.
"""

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import (
    Browser,
    ConsoleMessage,
    Page,
    Request,
    Response,
    expect,
    sync_playwright,
)

from rollbook import environment
from tests.browser import chromium
from tests.endtoend.conftest import Rollbook, two_districts
from tests.installations import copied

__all__ = ["two_districts"]

Scheme = Literal["light", "dark"]
VisitorFactory = Callable[..., Page]

FLAGS = (
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-gpu",
)
HEIGHT = 900
TIMEOUT_MS = 60_000  # only a test that fails waits that long
# Pages without scripts are the same on every database, so these tests run on SQLite alone,
# and of those that differ in nothing else from one with scripts, a third each day.
WITH_AND_WITHOUT_SCRIPTS = pytest.mark.parametrize(
    "javascript",
    [
        pytest.param(True, id="with scripts"),
        pytest.param(
            False,
            id="without scripts",
            marks=[pytest.mark.only_on("sqlite"), pytest.mark.daily_share(1 / 8)],
        ),
    ],
)
_REPORT_CSP_VIOLATIONS = (
    "document.addEventListener('securitypolicyviolation', "
    "event => console.error('CSP: ' + event.violatedDirective + ' ' + event.blockedURI))"
)

_REPLACED_REQUEST = ("htmx:sendAbort", "htmx:afterRequest")

expect.set_options(timeout=TIMEOUT_MS)


@dataclass
class Faults:
    """Errors, warnings, failed requests and requests to other sites that the browser reported."""

    reported: list[str] = field(default_factory=list)

    def watch(self, page: Page, origin: str) -> None:
        """Record the faults of the page from now on; requests go to ``origin`` only."""
        page.add_init_script(_REPORT_CSP_VIOLATIONS)
        page.on("console", self._on_console)
        page.on("pageerror", lambda error: self._record(f"page error: {error}"))
        page.on("requestfailed", self._on_request_failed)
        page.on("request", lambda request: self._on_request(request, origin))
        page.on("response", self._on_response)

    def take(self) -> list[str]:
        """Return the faults so far, and forget them."""
        reported, self.reported = self.reported, []
        return reported

    def _record(self, fault: str) -> None:
        self.reported.append(fault)

    def _on_console(self, message: ConsoleMessage) -> None:
        # htmx reports a search that a newer one has replaced, which is what it is asked to do.
        if message.text.startswith(_REPLACED_REQUEST):
            return
        # Chromium also reports pages with a 4xx status; tests check the status of pages themselves.
        if (
            message.type in {"error", "warning"}
            and "the server responded with a status of 4" not in message.text
        ):
            self._record(f"console {message.type}: {message.text}")

    def _on_request_failed(self, request: Request) -> None:
        # Requests are aborted when the page is left or the response becomes a download.
        if request.failure != "net::ERR_ABORTED":
            self._record(f"request failed: {request.url} ({request.failure})")

    def _on_request(self, request: Request, origin: str) -> None:
        if not request.url.startswith(("data:", "blob:")) and origin_of(request.url) != origin:
            self._record(f"request to another site: {request.url}")

    def _on_response(self, response: Response) -> None:
        is_page = response.request.is_navigation_request()
        if response.status >= 500 or (response.status >= 400 and not is_page):
            self._record(f"response {response.status}: {response.url}")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Yield a browser for one test file; Playwright's event loop must end before Django is used."""
    with sync_playwright() as playwright:
        sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(
            executable_path=chromium.find(), args=[*FLAGS, *sandbox]
        )
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def rollbook(two_districts: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rollbook]:
    """Yield a server for one test file; the links in its emails open it."""
    server = start_server(copied(two_districts, tmp_path_factory.mktemp("browser") / "data"))
    yield server
    server.kill()


def start_server(data: Path) -> Rollbook:
    """Start a server at the address that is in its links."""
    with socket.socket() as free_socket:
        free_socket.bind(("localhost", 0))
        port = free_socket.getsockname()[1]
    # The worker is paused for some states, so it must not be taken for frozen.
    extra = {"ROLLBOOK_URL": f"https://localhost:{port}", environment.FROZEN_AFTER: "86400"}
    server = Rollbook(data, extra=extra)
    server.start(port)
    return server


@pytest.fixture
def faults() -> Iterator[Faults]:
    faults = Faults()
    yield faults
    assert faults.reported == []


@pytest.fixture
def javascript() -> bool:
    return True


@pytest.fixture
def width() -> int:
    return 1280


@pytest.fixture
def scheme() -> Scheme:
    return "light"


@contextmanager
def visitor_factory(
    browser: Browser,
    rollbook: Rollbook,
    faults: Faults,
    javascript: bool,
    width: int,
    scheme: Scheme,
) -> Iterator[VisitorFactory]:
    """Yield a function that opens a page for a new visitor: in its own context, without cookies."""
    contexts = []

    def new_visitor(
        *, javascript: bool = javascript, width: int = width, scheme: Scheme = scheme
    ) -> Page:
        context = browser.new_context(
            base_url=rollbook.url,
            ignore_https_errors=True,
            java_script_enabled=javascript,
            viewport={"width": width, "height": HEIGHT},
            color_scheme=scheme,
        )
        context.set_default_timeout(TIMEOUT_MS)
        contexts.append(context)
        page = context.new_page()
        faults.watch(page, origin_of(rollbook.url))
        return page

    yield new_visitor
    for context in contexts:
        context.close()


@pytest.fixture
def new_visitor(
    browser: Browser,
    rollbook: Rollbook,
    faults: Faults,
    javascript: bool,
    width: int,
    scheme: Scheme,
) -> Iterator[VisitorFactory]:
    """Yield a function that opens a page for a new visitor, see ``visitor_factory``."""
    with visitor_factory(browser, rollbook, faults, javascript, width, scheme) as factory:
        yield factory


@pytest.fixture
def page(new_visitor: VisitorFactory) -> Page:
    """Return an empty page of a visitor who isn't signed in."""
    return new_visitor()


def origin_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
