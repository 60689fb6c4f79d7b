"""A clean spool after each test, and chunks and batches so small that a file of a few rows has many."""

from collections.abc import Iterator

import pytest
from django.conf import settings

from rollbook.updates import apply, check, judging


@pytest.fixture(autouse=True)
def clean_spool() -> Iterator[None]:
    yield
    for path in settings.SPOOL.glob("*"):
        path.unlink()


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two students a chunk, except for rings."""
    monkeypatch.setattr(apply, "SMALLEST", 2)
    monkeypatch.setattr(apply, "LARGEST", 2)


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two rows a batch, and two a stretch of judging."""
    monkeypatch.setattr(check, "BATCH", 2)
    monkeypatch.setattr(judging, "STRETCH", 2)
