"""Fixtures: a clock, and an empty cache of sign-ins."""

import pytest

from rollbook.accounts.auth.sign_in import sign_in_cache
from tests.accounts.browser import Clock


@pytest.fixture(autouse=True)
def empty_sign_in_cache() -> None:
    sign_in_cache.clear()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """A clock that shows ``browser.NOW`` until it is moved."""
    return Clock(monkeypatch)
