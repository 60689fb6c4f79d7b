"""Time that stands still."""

import pytest

from tests.staff.browser import Clock


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """It says what ``browser.NOW`` is until it is moved."""
    return Clock(monkeypatch)
