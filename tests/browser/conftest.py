"""People in a real browser: headless Chromium before a whole server; nothing that goes wrong there goes unnoticed."""

import os
import re
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

from tests.browser import chromium
from tests.endtoend.conftest import Rollbook, two_districts
from tests.installations import copied

__all__ = ["two_districts"]

Scheme = Literal["light", "dark"]
Visitor = Callable[..., Page]

FLAGS = (
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-gpu",
)
HEIGHT = 900
PATIENCE = 15_000  # ms
# A page without scripts is the same whatever the database: those journeys go on one of them.
BOTH_WAYS = pytest.mark.parametrize(
    "javascript",
    [
        pytest.param(True, id="with scripts"),
        pytest.param(False, id="without scripts", marks=pytest.mark.only_on("sqlite")),
    ],
)
_TELLS_OF_VIOLATIONS = (
    "document.addEventListener('securitypolicyviolation', "
    "event => console.error('CSP: ' + event.violatedDirective + ' ' + event.blockedURI))"
)

expect.set_options(timeout=PATIENCE)


@dataclass
class Faults:
    """What a browser noticed that no page of ours should make it notice."""

    found: list[str] = field(default_factory=list)
    forgiven: list[str] = field(default_factory=list)

    def forgive(self, pattern: str) -> None:
        """A test provokes this."""
        self.forgiven.append(pattern)

    def watch(self, page: Page, origin: str) -> None:
        """From now on."""
        page.add_init_script(_TELLS_OF_VIOLATIONS)
        page.on("console", self._console)
        page.on("pageerror", lambda error: self._note(f"page error: {error}"))
        page.on("requestfailed", self._failed)
        page.on("request", lambda request: self._foreign(request, origin))
        page.on("response", self._response)

    def left(self) -> list[str]:
        """Those that no test has provoked."""
        return [
            fault
            for fault in self.found
            if not any(re.search(each, fault) for each in self.forgiven)
        ]

    def taken(self) -> list[str]:
        """Return those that no test has provoked, and forget all."""
        left, self.found = self.left(), []
        return left

    def _note(self, fault: str) -> None:
        self.found.append(fault)

    def _console(self, message: ConsoleMessage) -> None:
        # Of a page that is refused, Chromium complains as of anything else; the test looks at its status.
        if (
            message.type in {"error", "warning"}
            and "the server responded with a status of 4" not in message.text
        ):
            self._note(f"console {message.type}: {message.text}")

    def _failed(self, request: Request) -> None:
        # What was under way when the page was left, and what became a download.
        if request.failure != "net::ERR_ABORTED":
            self._note(f"failed: {request.url} ({request.failure})")

    def _foreign(self, request: Request, origin: str) -> None:
        if not request.url.startswith(("data:", "blob:")) and origin_of(request.url) != origin:
            self._note(f"foreign: {request.url}")

    def _response(self, response: Response) -> None:
        is_page = response.request.is_navigation_request()
        if response.status >= 500 or (response.status >= 400 and not is_page):
            self._note(f"answer {response.status}: {response.url}")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One for a file of tests: Playwright's loop must be gone before Django is asked for anything."""
    with sync_playwright() as playwright:
        sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(
            executable_path=chromium.find(), args=[*FLAGS, *sandbox]
        )
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def rollbook(two_districts: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rollbook]:
    """A whole server for a file of tests, whose mails lead to it."""
    server = server_on(copied(two_districts, tmp_path_factory.mktemp("browser") / "data"))
    yield server
    server.kill()


def server_on(data: Path) -> Rollbook:
    """One that serves under the address that its links name."""
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    server = Rollbook(data, extra={"ROLLBOOK_URL": f"https://localhost:{port}"})
    server.start(port)
    return server


@pytest.fixture
def faults() -> Iterator[Faults]:
    faults = Faults()
    yield faults
    assert faults.left() == []


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
def visiting(
    browser: Browser,
    rollbook: Rollbook,
    faults: Faults,
    javascript: bool,
    width: int,
    scheme: Scheme,
) -> Iterator[Visitor]:
    """Make pages of people without cookies, each in a context of its own."""
    contexts = []

    def visit(
        *, javascript: bool = javascript, width: int = width, scheme: Scheme = scheme
    ) -> Page:
        context = browser.new_context(
            base_url=rollbook.url,
            ignore_https_errors=True,
            java_script_enabled=javascript,
            viewport={"width": width, "height": HEIGHT},
            color_scheme=scheme,
        )
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        page = context.new_page()
        faults.watch(page, origin_of(rollbook.url))
        return page

    yield visit
    for context in contexts:
        context.close()


@pytest.fixture
def visitor(
    browser: Browser,
    rollbook: Rollbook,
    faults: Faults,
    javascript: bool,
    width: int,
    scheme: Scheme,
) -> Iterator[Visitor]:
    """See ``visiting``."""
    with visiting(browser, rollbook, faults, javascript, width, scheme) as visit:
        yield visit


@pytest.fixture
def page(visitor: Visitor) -> Page:
    """Somebody before the browser."""
    return visitor()


def origin_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
