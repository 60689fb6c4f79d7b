"""The keys beside the database, and others."""

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


def test_the_same_keys_are_welcome_again_and_again(folder: Path) -> None:
    verify_keys()
    assert set(KeyFingerprint.objects.values_list("name", flat=True)) == set(NAMES)
    assert {path.name for path in folder.iterdir()} == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_another_key_is_not(folder: Path, name: str) -> None:
    (folder / name).write_bytes(bytes(32))
    with pytest.raises(KeysDoNotMatch, match=f"{name} are not those .* copy the folder"):
        verify_keys()


def test_a_missing_key_is_not_made_anew(folder: Path) -> None:
    (folder / "student-passwords").unlink()
    with pytest.raises(KeysDoNotMatch, match="student-passwords are missing"):
        verify_keys()
    assert not (folder / "student-passwords").exists()


def test_a_key_that_is_new_to_the_database_is_noted(folder: Path) -> None:
    KeyFingerprint.objects.filter(name="row-digests").delete()
    verify_keys()
    assert KeyFingerprint.objects.filter(name="row-digests").exists()


def test_a_mark_does_not_tell_the_key(folder: Path) -> None:
    for name, mark in KeyFingerprint.objects.values_list("name", "fingerprint"):
        assert len(mark) == 32
        assert mark not in (folder / name).read_bytes().hex()
