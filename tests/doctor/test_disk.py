"""The disk under the data folder."""

import fcntl
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from pytest_django import Settings

from rollbook.doctor import disk
from rollbook.doctor.result import Level
from tests.doctor.conftest import Here, marks, told

OnKind = Callable[[str], None]
MOUNT = "36 35 98:0 / {path} rw,noatime - {kind} server:/export rw\n"


@pytest.fixture
def on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, data: Path) -> OnKind:
    """Let the system say that the data folder is on this kind of file system."""

    def put(kind: str) -> None:
        mounts = tmp_path / "mountinfo"
        path = str(data.resolve()).replace(" ", "\\040")
        mounts.write_text(MOUNT.format(path="/", kind="ext4") + MOUNT.format(path=path, kind=kind))
        monkeypatch.setattr(disk, "MOUNTS", mounts)

    return put


@pytest.fixture
def room(settings: Settings) -> None:
    settings.MAX_UPLOAD_BYTES = 1000


@pytest.mark.usefixtures("room")
def test_a_local_disk_with_room_is_well_and_nothing_is_left_on_it(
    here: Here, data: Path, on: OnKind
) -> None:
    on("ext4")
    [(mark, what)] = told(disk.check(here()))
    assert mark == Level.OK
    assert what.endswith("are free, and files can be written and locked (ext4)")
    assert list(data.iterdir()) == []


def test_room_is_told_in_proportion_to_the_largest_upload(
    here: Here, data: Path, settings: Settings, on: OnKind
) -> None:
    on("ext4")
    free = os.statvfs(data).f_bavail * os.statvfs(data).f_frsize
    settings.MAX_UPLOAD_BYTES = free * 2
    assert marks(disk.check(here())) == [Level.ERROR]
    settings.MAX_UPLOAD_BYTES = free // 2
    assert marks(disk.check(here())) == [Level.WARNING]


@pytest.mark.usefixtures("room")
def test_a_disk_that_takes_no_more_files(
    here: Here, on: OnKind, monkeypatch: pytest.MonkeyPatch
) -> None:
    on("ext4")
    monkeypatch.setattr(disk, "MIN_FREE_FILES", 1 << 60)
    [(mark, what)] = told(disk.check(here()))
    assert (mark, "more files" in what) == (Level.ERROR, True)


@pytest.mark.usefixtures("room")
@pytest.mark.parametrize("kind", ["nfs4", "cifs", "fuse.sshfs"])
def test_sqlite_on_a_network_file_system_is_an_error(
    here: Here, on: OnKind, settings: Settings, kind: str
) -> None:
    on(kind)
    settings.ON_POSTGRESQL = False
    [(mark, what)] = told(disk.check(here()))
    assert (mark, f"network file system ({kind})" in what) == (Level.ERROR, True)
    settings.ON_POSTGRESQL = True
    assert marks(disk.check(here())) == [Level.OK]


@pytest.mark.usefixtures("room")
def test_a_folder_in_memory_is_a_warning(here: Here, on: OnKind) -> None:
    on("tmpfs")
    assert marks(disk.check(here())) == [Level.WARNING]


def test_the_kind_of_a_file_system_is_that_of_the_nearest_mount(
    on: OnKind, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    on("xfs")
    assert (disk.kind_of(data / "spool"), disk.kind_of(tmp_path)) == ("xfs", "ext4")
    monkeypatch.setattr(disk, "MOUNTS", tmp_path / "nowhere")
    assert disk.kind_of(data) == ""


@pytest.mark.usefixtures("room")
def test_locks_that_do_not_hold_are_an_error(
    here: Here, on: OnKind, monkeypatch: pytest.MonkeyPatch
) -> None:
    on("ext4")
    monkeypatch.setattr(fcntl, "flock", lambda file, how: None)
    [(mark, what)] = told(disk.check(here()))
    assert (mark, what.startswith("locks on files in ")) == (Level.ERROR, True)


@pytest.mark.usefixtures("room")
def test_a_folder_where_nothing_can_be_written(
    here: Here, on: OnKind, monkeypatch: pytest.MonkeyPatch
) -> None:
    on("ext4")

    def full(file: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    [(mark, what)] = told(disk.check(here()))
    assert (mark, what.endswith("(No space left on device)")) == (Level.ERROR, True)


@pytest.mark.usefixtures("room")
def test_a_file_system_that_is_read_only(
    here: Here, on: OnKind, monkeypatch: pytest.MonkeyPatch
) -> None:
    on("ext4")
    real = os.statvfs

    def read_only(path: Path) -> os.statvfs_result:
        there = list(real(path))
        there[8] |= os.ST_RDONLY
        return os.statvfs_result(there)

    monkeypatch.setattr(os, "statvfs", read_only)
    [(mark, what)] = told(disk.check(here()))
    assert (mark, what.endswith("is read-only")) == (Level.ERROR, True)
