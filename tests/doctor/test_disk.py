"""The disk under the data folder."""

import fcntl
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from pytest_django import Settings

from rollbook.doctor import disk
from rollbook.doctor.result import Level
from tests.doctor.conftest import Here, levels, results

OnKind = Callable[[str], None]
MOUNT = "36 35 98:0 / {path} rw,noatime - {kind} server:/export rw\n"


@pytest.fixture
def on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, data: Path) -> OnKind:
    """Have the system report this kind of file system for the data folder."""

    def put(kind: str) -> None:
        mounts = tmp_path / "mountinfo"
        path = str(data.resolve()).replace(" ", "\\040")
        mounts.write_text(MOUNT.format(path="/", kind="ext4") + MOUNT.format(path=path, kind=kind))
        monkeypatch.setattr(disk, "MOUNTS", mounts)

    return put


@pytest.fixture
def free_space(settings: Settings) -> None:
    settings.MAX_UPLOAD_BYTES = 1000


@pytest.mark.usefixtures("free_space")
def test_a_local_disk_with_free_space_is_ok_and_nothing_is_left_on_it(
    here: Here, data: Path, on: OnKind
) -> None:
    on("ext4")
    [(level, what)] = results(disk.check(here()))
    assert level == Level.OK
    assert what.endswith(" free; files can be written and locked (ext4)")
    assert list(data.iterdir()) == []


def test_free_space_is_compared_with_the_largest_upload(
    here: Here, data: Path, settings: Settings, on: OnKind
) -> None:
    on("ext4")
    free = os.statvfs(data).f_bavail * os.statvfs(data).f_frsize
    settings.MAX_UPLOAD_BYTES = free * 2
    assert levels(disk.check(here())) == [Level.ERROR]
    settings.MAX_UPLOAD_BYTES = free // 2
    assert levels(disk.check(here())) == [Level.WARNING]


@pytest.mark.usefixtures("free_space")
def test_a_disk_without_room_for_more_files(
    here: Here, on: OnKind, monkeypatch: pytest.MonkeyPatch
) -> None:
    on("ext4")
    monkeypatch.setattr(disk, "MIN_FREE_FILES", 1 << 60)
    [(level, what)] = results(disk.check(here()))
    assert (level, "more files" in what) == (Level.ERROR, True)


@pytest.mark.usefixtures("free_space")
@pytest.mark.parametrize("kind", ["nfs4", "cifs", "fuse.sshfs"])
def test_sqlite_on_a_network_file_system_is_an_error(
    here: Here, on: OnKind, settings: Settings, kind: str
) -> None:
    on(kind)
    settings.ON_POSTGRESQL = False
    [(level, what)] = results(disk.check(here()))
    assert (level, f"network file system ({kind})" in what) == (Level.ERROR, True)
    settings.ON_POSTGRESQL = True
    assert levels(disk.check(here())) == [Level.OK]


@pytest.mark.usefixtures("free_space")
def test_a_folder_in_memory_is_a_warning(here: Here, on: OnKind) -> None:
    on("tmpfs")
    assert levels(disk.check(here())) == [Level.WARNING]


def test_the_kind_of_a_file_system_is_that_of_the_nearest_mount(
    on: OnKind, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    on("xfs")
    assert (disk.kind_of(data / "spool"), disk.kind_of(tmp_path)) == ("xfs", "ext4")
    monkeypatch.setattr(disk, "MOUNTS", tmp_path / "nowhere")
    assert disk.kind_of(data) == ""


@pytest.mark.usefixtures("free_space")
def test_locks_without_effect_are_an_error(
    here: Here, on: OnKind, monkeypatch: pytest.MonkeyPatch
) -> None:
    on("ext4")
    monkeypatch.setattr(fcntl, "flock", lambda file, how: None)
    [(level, what)] = results(disk.check(here()))
    assert (level, what.startswith("locks on files in ")) == (Level.ERROR, True)


@pytest.mark.usefixtures("free_space")
def test_a_folder_that_is_not_writable(
    here: Here, on: OnKind, monkeypatch: pytest.MonkeyPatch
) -> None:
    on("ext4")

    def full(file: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    [(level, what)] = results(disk.check(here()))
    assert (level, what.endswith("(No space left on device)")) == (Level.ERROR, True)


@pytest.mark.usefixtures("free_space")
def test_a_file_where_the_spool_folder_must_be(here: Here, data: Path, on: OnKind) -> None:
    on("ext4")
    (data / "spool").touch()
    [(level, what)] = results(disk.check(here()))
    assert (level, what) == (
        Level.ERROR,
        f"nothing can be written to {data}/spool (Not a directory)",
    )


@pytest.mark.usefixtures("free_space")
def test_a_read_only_file_system(here: Here, on: OnKind, monkeypatch: pytest.MonkeyPatch) -> None:
    on("ext4")
    real = os.statvfs

    def read_only(path: Path) -> os.statvfs_result:
        there = list(real(path))
        there[8] |= os.ST_RDONLY
        return os.statvfs_result(there)

    monkeypatch.setattr(os, "statvfs", read_only)
    [(level, what)] = results(disk.check(here()))
    assert (level, what.endswith("is read-only")) == (Level.ERROR, True)
