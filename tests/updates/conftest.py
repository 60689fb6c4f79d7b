"""Fixtures of update tests."""

import pytest

from rollbook.updates.checking import check_range
from rollbook.updates.resolving import resolver


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make batches of checking and transactions of resolving two rows long."""
    monkeypatch.setattr(check_range, "MAX_UNKNOWN", 2)
    monkeypatch.setattr(check_range, "MAX_RECORDS", 2)
    monkeypatch.setattr(resolver, "ROWS_PER_TRANSACTION", 2)
