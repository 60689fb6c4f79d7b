"""The data folder: it exists, it is ours, and others can't read it."""

import os
from pathlib import Path

import pytest

from rollbook.doctor import data_folder
from rollbook.doctor.result import Level
from tests.doctor.conftest import Here, results


@pytest.fixture
def owner(data: Path) -> str:
    return data.owner()


def test_a_folder_that_only_its_owner_can_read_is_ok(here: Here, data: Path, owner: str) -> None:
    (data / "keys").mkdir(mode=0o700)
    (data / "keys" / "session").touch(0o600)
    (data / "certificate.pem").touch(0o644)
    assert results(data_folder.check(here())) == [
        (Level.OK, f"{data} belongs to {owner}; only that account can read its 2 files")
    ]


def test_a_missing_folder_is_reported_with_the_reason(here: Here, data: Path) -> None:
    data.rmdir()
    assert results(data_folder.check(here(ROLLBOOK_DATA=str(data)))) == [
        (Level.ERROR, f"there is no data folder {data}")
    ]
    [(_, what)] = results(data_folder.check(here()))
    assert what.endswith("(the default, because neither --data nor ROLLBOOK_DATA is set)")
    data.touch()
    assert results(data_folder.check(here(ROLLBOOK_DATA="x"))) == [
        (Level.ERROR, f"{data} is not a folder")
    ]


@pytest.mark.parametrize(
    ("mode", "level"), [(0o750, Level.WARNING), (0o755, Level.WARNING), (0o777, Level.ERROR)]
)
def test_a_folder_that_others_may_enter(here: Here, data: Path, mode: int, level: Level) -> None:
    data.chmod(mode)
    assert results(data_folder.check(here()))[0][0] == level


def test_the_first_files_that_others_can_read_are_named(here: Here, data: Path) -> None:
    (data / "keys").mkdir(mode=0o755)
    (data / "keys").chmod(0o755)
    for number in range(4):
        (data / f"a{number}").touch()
        (data / f"a{number}").chmod(0o640)
    found = list(data_folder.check(here()))
    assert results(found) == [(Level.ERROR, "others can read a0, a1, a2 and 2 more")]
    assert found[0].fix.startswith(f"`chmod -R go-rwx {data}`")


def test_a_file_of_another_account_is_an_error(
    here: Here, data: Path, owner: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (data / "rollbook.sqlite3-wal").touch(0o600)
    real = Path.lstat

    def foreign_stat(path: Path) -> os.stat_result:
        there = list(real(path))
        there[4] = 65534
        return os.stat_result(there)

    monkeypatch.setattr(Path, "lstat", foreign_stat)
    assert results(data_folder.check(here())) == [
        (Level.ERROR, f"rollbook.sqlite3-wal belongs to an account other than {owner}")
    ]


def test_a_folder_that_this_account_cannot_open(
    here: Here, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda path, how: False)
    assert here().missing_requirement("folder") == "this account cannot open the data folder"
    assert results(data_folder.check(here())) == [(Level.ERROR, f"this account cannot open {data}")]
