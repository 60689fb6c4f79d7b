"""Take a screenshot of every page in every state and of every email, for review.

``make screenshots`` saves them as screenshots/NAME-WIDTH-SCHEME.png, those of emails as
screenshots/email-NAME-WIDTH-SCHEME.png, and writes screenshots/emails.html with all emails. With
``BEFORE=FOLDER``, screenshots/comparison.html shows them next to those of an earlier run.
"""

import os
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")

import django

django.setup()

from playwright.sync_api import Page, sync_playwright  # noqa: E402

from tests.browser import chromium, comparison  # noqa: E402
from tests.browser.conftest import FLAGS, HEIGHT, start_server  # noqa: E402
from tests.browser.states import prepare, visits  # noqa: E402
from tests.endtoend.conftest import LOGIN, Rollbook  # noqa: E402
from tests.installations import installed  # noqa: E402
from tests.mail import gallery  # noqa: E402

FOLDER = Path(__file__).parents[2] / "screenshots"
WIDTHS, SCHEMES = (1280, 320), ("light", "dark")


def main(names: list[str]) -> int:
    """Take screenshots of all states, or of those whose names start with one of ``names``."""
    browser_path = chromium.find_or_install()
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        data = installed(Path(folder) / "data")
        Rollbook(data).add_district(
            "Maple USD", "maple-usd", LOGIN, "100,Maple High\n200,Maple Middle\n"
        )
        rollbook = start_server(data)
        try:
            prepare(rollbook)
            with sync_playwright() as playwright:
                sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
                browser = playwright.chromium.launch(
                    executable_path=browser_path, args=[*FLAGS, *sandbox]
                )

                def new_page() -> Page:
                    context = browser.new_context(base_url=rollbook.url, ignore_https_errors=True)
                    return context.new_page()

                for state, page in visits(rollbook, new_page):
                    if names and not state.name.startswith(tuple(names)):
                        continue
                    _take(page, state.name)
                _take_emails(browser.new_page(), names)
        finally:
            rollbook.kill()
    print(f"The screenshots are in {FOLDER}")
    if before := os.environ.get("BEFORE"):
        print(f"What has changed is in {comparison.write(Path(before).resolve(), FOLDER, names)}")
    return 0


def _take_emails(page: Page, names: list[str]) -> None:
    """Take screenshots of all emails, or of those whose names start with one of ``names``."""
    gallery.write_page(FOLDER / "emails.html")
    for email in gallery.emails():
        name = f"email-{email.name}"
        if not names or name.startswith(tuple(names)):
            page.set_content(email.html)
            _take(page, name)


def _take(page: Page, name: str) -> None:
    """Take screenshots of a page in each width and color scheme."""
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": HEIGHT})
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            page.screenshot(path=FOLDER / f"{name}-{width}-{scheme}.png", full_page=True)
    page.set_viewport_size({"width": WIDTHS[0], "height": HEIGHT})  # for the next state


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
