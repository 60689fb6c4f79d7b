"""The key files."""

from pathlib import Path

import pytest

from rollbook.accounts.key_fingerprints import fingerprint
from rollbook.accounts.models import KeyFingerprint
from rollbook.districts.models import District
from rollbook.doctor import keys
from rollbook.doctor.result import Level
from tests.doctor.conftest import Here, results
from tests.updates.night import a_class, enroll

ALL = ("session", *keys.STUDENT_KEYS)


@pytest.fixture
def folder(data: Path) -> Path:
    """A folder with every key."""
    (data / "keys").mkdir(mode=0o700)
    for name in ALL:
        (data / "keys" / name).write_bytes(bytes(32))
    return data / "keys"


def test_existing_keys_are_named(here: Here, folder: Path) -> None:
    assert results(keys.check(here())) == [
        (Level.OK, "session, student-password-marks and student-passwords are complete")
    ]


def test_a_new_installation_has_none(here: Here) -> None:
    assert results(keys.check(here())) == [
        (Level.OK, "there are none yet; they are created at first use")
    ]


@pytest.mark.parametrize("name", ALL)
def test_a_truncated_key(here: Here, folder: Path, name: str) -> None:
    (folder / name).write_bytes(bytes(16))
    assert results(keys.check(here())) == [
        (Level.ERROR, f"{folder / name} has 16 bytes instead of 32")
    ]


def test_a_key_that_cannot_be_read(here: Here, folder: Path) -> None:
    (folder / "session").unlink()
    (folder / "session").mkdir()
    assert results(keys.check(here())) == [
        (Level.ERROR, f"{folder}/session cannot be read (Is a directory)")
    ]


@pytest.mark.parametrize(
    ("name", "severity"),
    [("session", Level.WARNING), *((name, Level.ERROR) for name in keys.STUDENT_KEYS)],
)
def test_a_missing_key_is_reported_as_soon_as_there_are_students(
    here: Here, folder: Path, maple: District, name: str, severity: Level
) -> None:
    (folder / name).unlink()
    ready = here()
    ready.tables = True
    assert [level for level, _ in results(keys.check(ready))] == [Level.OK]
    enroll(maple, a_class(1))
    [(level, what)] = results(keys.check(ready))
    assert (level, what.startswith(f"{folder / name} is missing")) == (severity, True)
    ready.tables = False
    assert [level for level, _ in results(keys.check(ready))] == [Level.OK]


@pytest.mark.django_db
def test_a_key_of_another_installation(here: Here, folder: Path) -> None:
    """The keys were not copied to a second machine."""
    KeyFingerprint.objects.create(name="session", fingerprint=fingerprint(bytes(32)))
    ready = here()
    ready.tables = True
    assert [level for level, _ in results(keys.check(ready))] == [Level.OK]
    (folder / "session").write_bytes(bytes([1] * 32))
    [(level, what)] = results(keys.check(ready))
    assert level is Level.ERROR
    assert what.startswith(f"{folder}/session is not the key")
