"""The key files."""

from pathlib import Path

import pytest

from rollbook.accounts.key_fingerprints import NAMES, fingerprint
from rollbook.accounts.models import KeyFingerprint, KeyState
from rollbook.doctor import keys
from rollbook.doctor.result import CheckResult, Level
from tests.doctor.conftest import Here, results

KEY = bytes([1] * 32)


@pytest.fixture
def folder(data: Path) -> Path:
    """A folder with every key."""
    (data / "keys").mkdir(mode=0o700)
    for name in NAMES:
        (data / "keys" / name).write_bytes(KEY)
    return data / "keys"


@pytest.fixture
def used(folder: Path, db: None) -> Path:
    """The folder of keys that the database has been used with."""
    for name in NAMES:
        KeyFingerprint.objects.create(name=name, fingerprint=fingerprint(KEY))
    return folder


def check(here: Here) -> list[CheckResult]:
    ready = here()
    ready.tables = True
    return list(keys.check(ready))


def test_existing_keys_are_named(here: Here, folder: Path) -> None:
    assert results(keys.check(here())) == [
        (
            Level.OK,
            "session, logins, student-passwords, student-password-marks, row-digests and "
            "district-keys are complete",
        )
    ]


def test_a_new_installation_has_none(here: Here) -> None:
    assert results(keys.check(here())) == [
        (Level.OK, "there are none yet; they are created at first use")
    ]


@pytest.mark.parametrize("name", NAMES)
def test_a_truncated_key_is_found_without_a_database(here: Here, folder: Path, name: str) -> None:
    (folder / name).write_bytes(bytes(16))
    assert results(keys.check(here())) == [
        (Level.ERROR, f"the key {name} has 16 bytes instead of 32")
    ]


def test_a_key_that_cannot_be_read(here: Here, folder: Path) -> None:
    (folder / "session").unlink()
    (folder / "session").mkdir()
    assert results(keys.check(here())) == [
        (Level.ERROR, "the key session cannot be read (Is a directory)")
    ]


@pytest.mark.parametrize("name", NAMES)
def test_a_missing_key_is_an_error_with_the_command(here: Here, used: Path, name: str) -> None:
    (used / name).unlink()
    [found] = check(here)
    assert (found.level, found.what) == (Level.ERROR, f"the key {name} is missing")
    assert f"run `rollbook keys accept-loss {name}`" in found.fix
    assert not (used / name).exists()


def test_a_key_of_another_installation(here: Here, used: Path) -> None:
    """The keys were not copied to a second machine."""
    assert [found.level for found in check(here)] == [Level.OK]
    (used / "session").write_bytes(bytes(32))
    [found] = check(here)
    assert found.level is Level.ERROR
    assert found.what.startswith("the key session is not the key that the database")


def test_a_staged_key_has_to_be_copied(here: Here, used: Path) -> None:
    KeyFingerprint.objects.create(
        name="logins", version=2, fingerprint=fingerprint(KEY), state=KeyState.STAGED
    )
    [found, *others] = check(here)
    assert found.level is Level.WARNING
    assert found.what.startswith("the key logins.2 is missing, and will be used after")
    assert found.fix.startswith("copy the file from the machine on which")
    assert not others
    (used / "logins.2").write_bytes(KEY)
    assert [found.level for found in check(here)] == [Level.OK]


def test_a_removed_key_can_be_deleted_and_a_lost_one_is_no_problem(here: Here, used: Path) -> None:
    KeyFingerprint.objects.filter(name="session").update(state=KeyState.REMOVED, version=2)
    KeyFingerprint.objects.filter(name="logins").update(state=KeyState.LOST, version=2)
    (used / "session.2").write_bytes(KEY)
    assert next((found.level, found.what) for found in check(here)) == (
        Level.WARNING,
        "the key session.2 is no longer needed",
    )
    (used / "session.2").unlink()
    assert [found.level for found in check(here)] == [Level.OK]
