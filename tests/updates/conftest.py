"""Batches so small that a file of a few rows has many."""

import pytest

from rollbook.updates.checking import check_range
from rollbook.updates.resolving import conflicts


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two rows a batch, and two a stretch of judging."""
    monkeypatch.setattr(check_range, "MIN_BATCH_RECORDS", 2)
    monkeypatch.setattr(check_range, "MAX_BATCH_RECORDS", 2)
    monkeypatch.setattr(conflicts, "ROWS_PER_TRANSACTION", 2)
