"""Verification of the keys in the data folder."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import settings

from rollbook.accounts import key_ring
from rollbook.accounts.key_fingerprints import NAMES, KeysDoNotMatch, verify_keys
from rollbook.accounts.models import KeyFingerprint
from rollbook.secret_keys import KeyUnusable

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


BROKEN: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing": (Path.unlink, "is missing"),
    "empty": (lambda path: path.write_bytes(b""), "is empty"),
    "short": (lambda path: path.write_bytes(bytes(16)), "has 16 bytes instead of 32"),
    "different": (lambda path: path.write_bytes(bytes(32)), "is not the key that the database"),
}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("how", BROKEN)
def test_one_line_names_the_key_and_the_command(folder: Path, name: str, how: str) -> None:
    damage, reason = BROKEN[how]
    damage(folder / name)
    with pytest.raises(KeysDoNotMatch) as caught:
        verify_keys()
    text = str(caught.value)
    assert text.startswith(f"in {folder} the key {name} {reason}")
    assert f"run `rollbook keys accept-loss {name}`, which first says what is lost" in text
    assert "\n" not in text


def test_a_missing_key_is_not_created_again(folder: Path) -> None:
    (folder / "student-passwords").unlink()
    for _ in range(2):
        with pytest.raises(KeysDoNotMatch):
            verify_keys()
    key_ring.refresh()
    with pytest.raises(KeyUnusable):
        key_ring.ring("student-passwords")
    assert not (folder / "student-passwords").exists()


def test_a_key_that_is_damaged_before_it_was_used_is_not_replaced(folder: Path) -> None:
    KeyFingerprint.objects.filter(name="logins").delete()
    (folder / "logins").write_bytes(b"")
    with pytest.raises(KeysDoNotMatch, match=r"the key logins is empty; .*accept-loss logins`"):
        verify_keys()


def test_all_keys_that_are_lost_are_named(folder: Path) -> None:
    (folder / "session").unlink()
    (folder / "logins").write_bytes(b"")
    with pytest.raises(KeysDoNotMatch) as caught:
        verify_keys()
    assert "the key logins is empty and the key session is missing" in str(caught.value)
    assert "accept-loss logins session`" in str(caught.value)


def test_the_fingerprint_of_a_new_key_is_stored(folder: Path) -> None:
    KeyFingerprint.objects.filter(name="row-digests").delete()
    verify_keys()
    assert KeyFingerprint.objects.filter(name="row-digests").exists()


def test_a_fingerprint_does_not_contain_the_key(folder: Path) -> None:
    for name, fingerprint in KeyFingerprint.objects.values_list("name", "fingerprint"):
        assert len(fingerprint) == 32
        assert fingerprint not in (folder / name).read_bytes().hex()
