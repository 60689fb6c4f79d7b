"""Verification of the keys in the data folder."""

from pathlib import Path

import pytest
from django.conf import settings

from rollbook.accounts.key_fingerprints import NAMES, KeysDoNotMatch, verify_keys
from rollbook.accounts.models import KeyFingerprint

pytestmark = pytest.mark.django_db


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setattr(settings, "KEYS", tmp_path)
    verify_keys()
    return tmp_path


def test_the_same_keys_are_accepted_again(folder: Path) -> None:
    verify_keys()
    assert set(KeyFingerprint.objects.values_list("name", flat=True)) == set(NAMES)
    assert {path.name for path in folder.iterdir()} == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_different_key_is_rejected(folder: Path, name: str) -> None:
    (folder / name).write_bytes(bytes(32))
    with pytest.raises(KeysDoNotMatch, match=f"are not the ones .*: {name}; copy the folder"):
        verify_keys()


def test_a_missing_key_is_not_created_again(folder: Path) -> None:
    (folder / "student-passwords").unlink()
    with pytest.raises(KeysDoNotMatch, match=r"are missing from .*: student-passwords;"):
        verify_keys()
    assert not (folder / "student-passwords").exists()


def test_the_fingerprint_of_a_new_key_is_stored(folder: Path) -> None:
    KeyFingerprint.objects.filter(name="row-digests").delete()
    verify_keys()
    assert KeyFingerprint.objects.filter(name="row-digests").exists()


def test_a_fingerprint_does_not_contain_the_key(folder: Path) -> None:
    for name, fingerprint in KeyFingerprint.objects.values_list("name", "fingerprint"):
        assert len(fingerprint) == 32
        assert fingerprint not in (folder / name).read_bytes().hex()
