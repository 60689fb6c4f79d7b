"""Time that stands still, and nobody who is remembered from another test."""

import pytest

from rollbook.accounts.auth.sign_in import sign_in_cache
from tests.accounts.browser import Clock


@pytest.fixture(autouse=True)
def nobody_is_remembered() -> None:
    sign_in_cache.clear()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """It says what ``browser.NOW`` is until it is moved."""
    return Clock(monkeypatch)
