"""The keys beside the database."""

from pathlib import Path

import pytest

from rollbook.accounts.key_fingerprints import fingerprint
from rollbook.accounts.models import KeyFingerprint
from rollbook.districts.models import District
from rollbook.doctor import keys
from rollbook.doctor.result import Level
from tests.doctor.conftest import Here, told
from tests.updates.night import a_class, enroll

ALL = ("session", *keys.OF_STUDENTS)


@pytest.fixture
def folder(data: Path) -> Path:
    """With every key."""
    (data / "keys").mkdir(mode=0o700)
    for name in ALL:
        (data / "keys" / name).write_bytes(bytes(32))
    return data / "keys"


def test_those_that_are_there_are_named(here: Here, folder: Path) -> None:
    assert told(keys.check(here())) == [
        (Level.OK, "session, student-password-marks and student-passwords are there and whole")
    ]


def test_a_new_installation_has_none(here: Here) -> None:
    assert told(keys.check(here())) == [
        (Level.OK, "there are none yet; they are made at first use")
    ]


@pytest.mark.parametrize("name", ALL)
def test_a_key_that_was_cut_short(here: Here, folder: Path, name: str) -> None:
    (folder / name).write_bytes(bytes(16))
    assert told(keys.check(here())) == [(Level.ERROR, f"{folder / name} has 16 bytes and not 32")]


def test_a_key_that_cannot_be_read(here: Here, folder: Path) -> None:
    (folder / "session").unlink()
    (folder / "session").mkdir()
    assert told(keys.check(here())) == [
        (Level.ERROR, f"{folder}/session cannot be read (Is a directory)")
    ]


@pytest.mark.parametrize(
    ("name", "severity"),
    [("session", Level.WARNING), *((name, Level.ERROR) for name in keys.OF_STUDENTS)],
)
def test_a_key_is_missed_as_soon_as_there_are_students(
    here: Here, folder: Path, maple: District, name: str, severity: Level
) -> None:
    (folder / name).unlink()
    ready = here()
    ready.tables = True
    assert [found for found, _ in told(keys.check(ready))] == [Level.OK]
    enroll(maple, a_class(1))
    [(found, what)] = told(keys.check(ready))
    assert (found, what.startswith(f"{folder / name} is missing")) == (severity, True)
    ready.tables = False
    assert [found for found, _ in told(keys.check(ready))] == [Level.OK]


@pytest.mark.django_db
def test_a_key_of_another_installation(here: Here, folder: Path) -> None:
    """Such as a second machine's, which nobody has copied the keys to."""
    KeyFingerprint.objects.create(name="session", fingerprint=fingerprint(bytes(32)))
    ready = here()
    ready.tables = True
    assert [found for found, _ in told(keys.check(ready))] == [Level.OK]
    (folder / "session").write_bytes(bytes([1] * 32))
    [(found, what)] = told(keys.check(ready))
    assert found is Level.ERROR
    assert what.startswith(f"{folder}/session is another key")
