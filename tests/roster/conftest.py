"""A clean spool after each test."""

from collections.abc import Iterator

import pytest
from django.conf import settings

from rollbook.updates import apply


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
