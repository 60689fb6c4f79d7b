"""Names of browsers and systems, as people know them."""

import pytest

from rollbook.web.pages.account.user_agents import program_of

WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"
WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64)"
APPLE = "AppleWebKit/605.1.15 (KHTML, like Gecko)"


@pytest.mark.parametrize(
    ("agent", "program"),
    [
        (
            "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
            "Firefox 145 on Linux",
        ),
        (
            f"{WINDOWS} {WEBKIT} Chrome/142.0.0.0 Safari/537.36",
            "Chrome 142 on Windows",
        ),
        (
            f"{WINDOWS} {WEBKIT} Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0",
            "Edge 142 on Windows",
        ),
        (
            f"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) {WEBKIT} Chrome/142.0.0.0 Safari/537.36",
            "Chrome 142 on ChromeOS",
        ),
        (
            f"Mozilla/5.0 (Linux; Android 10; K) {WEBKIT} Chrome/142.0.0.0 Mobile Safari/537.36",
            "Chrome 142 on Android",
        ),
        (
            "Mozilla/5.0 (Linux; Android 13; SM) "
            f"{WEBKIT} SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36",
            "Samsung Internet 28 on Android",
        ),
        (
            f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {APPLE} Version/18.6 Safari/605.1.15",
            "Safari 18 on macOS",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) "
            f"{APPLE} Version/18.6 Mobile/15E148 Safari/604.1",
            "Safari 18 on iPhone",
        ),
        (
            "Mozilla/5.0 (iPad; CPU OS 18_6 like Mac OS X) "
            f"{APPLE} CriOS/142.0.7444.77 Mobile/15E148 Safari/604.1",
            "Chrome 142 on iPad",
        ),
        (
            f"{WINDOWS} {WEBKIT} Chrome/141.0.0.0 Safari/537.36 OPR/125.0.0.0",
            "Opera 125 on Windows",
        ),
        ("Mozilla/5.0 Firefox/145.0", "Firefox 145"),
        ("curl/8.14.1", "curl/8.14.1"),
        ("", "unknown"),
    ],
)
def test_browser_and_system_are_named(agent: str, program: str) -> None:
    assert program_of(agent) == program
