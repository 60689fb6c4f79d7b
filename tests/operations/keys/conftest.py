"""A folder of keys of its own for each test."""

from pathlib import Path

import pytest
from django.conf import settings

from rollbook.accounts import key_fingerprints, key_ring


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, db: None) -> Path:
    """The keys of this test's database, as after the first start."""
    for name in ("SECRET_KEY", "SECRET_KEY_FALLBACKS"):  # restored after the test
        monkeypatch.setattr(settings, name, getattr(settings, name))
    monkeypatch.setattr(settings, "KEYS", tmp_path / "keys")
    key_fingerprints.verify_keys()
    key_ring.ring(key_ring.SESSION)  # as before the first request
    return tmp_path / "keys"
