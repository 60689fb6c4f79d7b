"""Uploaded files in the spool folder."""

import errno
import hashlib
import os
import random
import threading
import time
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings

from rollbook.accounts import district_keys, installation_id
from rollbook.accounts.district_keys import KeyPurpose
from rollbook.accounts.models import DistrictKey
from rollbook.districts.models import District
from rollbook.encrypted_file import FRAME_BYTES, HEADER_BYTES
from rollbook.updates.models import UpdateJob
from rollbook.updates.receiving import file_chunks, receive
from rollbook.updates.receiving import files as spool
from rollbook.updates.receiving.files import LARGE_BYTES
from tests.updates.night import a_class, counts, enroll, finish, incoming, send, stored_text


def files() -> set[str]:
    return {path.name for path in settings.SPOOL.iterdir()}


@pytest.mark.statement("S30")
def test_a_stored_file_has_its_bytes_and_is_readable_by_its_owner_only(maple: District) -> None:
    file = incoming(b"a,b\n")
    name = file.persist(maple.pk)
    path = spool.path_of(name)
    file.release_ownership()
    file.discard()
    with spool.open_stored(name).open("rb") as stored:
        assert stored.read() == b"a,b\n"
    assert path.stat().st_mode & 0o777 == 0o600
    assert settings.SPOOL.stat().st_mode & 0o777 == 0o700


def test_size_and_digest_cover_everything_that_was_written() -> None:
    file = incoming(b"abc")
    file.write(b"def")
    assert (file.size, file.digest) == (
        6,
        "bef57ec7f53a6d40beb640a780a639c83bc29ac8a9816f1fc6c5c6dcd93c4721",
    )
    file.discard()


def test_a_file_whose_ownership_is_not_released_is_deleted(maple: District) -> None:
    receiving, stored = incoming(b"a"), incoming(b"b")
    stored.persist(maple.pk)
    for file in (receiving, stored):
        file.discard()
        file.discard()
    assert files() == set()


def test_the_file_is_synced_before_it_is_renamed_and_the_folder_after(
    maple: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = []
    sync, rename = os.fsync, Path.rename

    def noted_sync(handle: int) -> None:
        done.append(Path(f"/proc/self/fd/{handle}").readlink())
        sync(handle)

    def noted_rename(path: Path, new: Path) -> Path:
        done.append(Path("renamed"))
        return rename(path, new)

    monkeypatch.setattr(os, "fsync", noted_sync)
    monkeypatch.setattr(Path, "rename", noted_rename)
    file = incoming(b"a")
    file.persist(maple.pk)
    file.discard()
    assert done == [settings.SPOOL / f"{file.name}.part", Path("renamed"), settings.SPOOL]


@pytest.mark.parametrize("failing", [1, 2])
def test_a_disk_that_fails_while_syncing_leaves_nothing(
    maple: District, monkeypatch: pytest.MonkeyPatch, failing: int
) -> None:
    calls = []

    def fails(handle: int) -> None:
        calls.append(handle)
        if len(calls) == failing:
            raise OSError(errno.EIO, "broken")

    file = incoming(b"a")
    monkeypatch.setattr(os, "fsync", fails)
    with pytest.raises(OSError, match="broken"):
        file.persist(maple.pk)
    file.discard()
    assert files() == set()


@pytest.mark.parametrize(
    ("minimum", "in_this_thread"), [(1 << 20, [True, True]), (1, [False, True, True])]
)
def test_a_large_file_is_also_synced_while_it_is_scanned(
    maple: District, monkeypatch: pytest.MonkeyPatch, minimum: int, in_this_thread: list[bool]
) -> None:
    send(maple, a_class(2))  # creates keys, which are synced, too
    threads = []
    monkeypatch.setattr(os, "fsync", lambda handle: threads.append(threading.current_thread()))
    monkeypatch.setattr(spool, "LARGE_BYTES", minimum)
    send(maple, a_class(1))
    assert [thread is threading.main_thread() for thread in threads] == in_this_thread


def test_a_disk_that_fails_while_the_file_is_scanned_leaves_nothing(
    maple: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The kernel reports an error once, so a later sync of the same file would succeed."""
    errors = [OSError(errno.EIO, "broken")]

    def fails_once(handle: int) -> None:
        if errors:
            raise errors.pop()

    monkeypatch.setattr(os, "fsync", fails_once)
    file = incoming(bytes(LARGE_BYTES))
    file.finish()
    file.begin_sync(maple.pk)
    with pytest.raises(OSError, match="broken"):
        file.persist(maple.pk)
    file.discard()
    assert files() == set()


# Encryption


@pytest.mark.statement("S36")
def test_what_is_left_of_a_file_that_was_not_stored_cannot_be_decrypted(maple: District) -> None:
    """The key of an incoming file is only in memory."""
    file = incoming(bytes(3 * FRAME_BYTES))
    file.finish()
    left = next(settings.SPOOL.iterdir())
    assert left.read_bytes()[:HEADER_BYTES] == bytes(HEADER_BYTES)
    assert file.content.key not in left.read_bytes()
    file.discard()


@pytest.mark.statement("S36")
def test_a_file_that_was_replaced_by_another_is_not_read(maple: District) -> None:
    one, other = (stored(maple, text) for text in (b"one", b"other"))
    spool.path_of(one).write_bytes(spool.path_of(other).read_bytes())
    with pytest.raises(spool.FileMissing, match="was replaced by another one"):
        spool.open_stored(one)


def test_a_file_is_intact_only_if_each_of_its_bytes_is_what_was_written(maple: District) -> None:
    text = random.Random(1).randbytes(2 * FRAME_BYTES + 5)  # three frames
    name, digest = stored(maple, text), hashlib.sha256(text).hexdigest()
    path = spool.path_of(name)
    data, sealed = path.read_bytes(), FRAME_BYTES + 16
    first, second = HEADER_BYTES, HEADER_BYTES + sealed
    frames = [data[first:second], data[second : second + sealed]]
    harmed = [data[:cut] for cut in (0, HEADER_BYTES, second, second + sealed, -1)]
    harmed += [data + b"x", data + frames[0], data[:first] + frames[1] + frames[0] + data[-21:]]
    for at in (0, 9, 40, HEADER_BYTES - 1, first, second - 1, second, len(data) - 1):
        harmed.append(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
    for each in harmed:
        path.write_bytes(each)
        assert not spool.is_intact(name, digest)
    path.write_bytes(data)
    assert spool.is_intact(name, digest)


@pytest.mark.statement("S36", "S42")
def test_without_the_districts_key_nothing_is_read(maple: District, cedar: District) -> None:
    ours, theirs = stored(maple, b"ours"), stored(cedar, b"theirs")
    assert district_keys.destroy(maple.pk, *KeyPurpose) == 1
    with pytest.raises(spool.FileMissing, match=r"key .* of its district no longer exists"):
        spool.open_stored(ours)
    assert stored_text(theirs) == b"theirs"
    assert stored_text(stored(maple, b"later")) == b"later"


def test_a_key_that_was_changed_is_damage(maple: District) -> None:
    name = stored(maple, b"text")
    DistrictKey.objects.update(wrapped_key=bytes(60))
    with pytest.raises(spool.FileMissing, match=r"key for uploaded files of .* is damaged"):
        spool.open_stored(name)


def test_a_file_of_an_older_version_is_read_as_it_is(maple: District) -> None:
    enroll(maple, a_class(2))
    update = send(maple, a_class(2, GRADE="9"))
    text = stored_text(update.spool_name)
    spool.path_of(update.spool_name).write_bytes(text)
    if settings.ON_POSTGRESQL:
        file_chunks.remove([update.spool_name])
        file_chunks.write(update.spool_name, spool.path_of(update.spool_name))
    DistrictKey.objects.all().delete()
    assert counts(finish(update)) == {"updated": 2}


def stored(district: District, text: bytes) -> str:
    file = incoming(text)
    name = file.persist(district.pk)
    file.release_ownership()
    file.discard()
    return name


# The sweep


@pytest.mark.django_db
def test_the_sweep_removes_files_of_a_dead_process() -> None:
    settings.SPOOL.mkdir(mode=0o700, exist_ok=True)
    name = installation_id.file_prefix() + "dead"
    (settings.SPOOL / f"{name}.part").write_bytes(b"half")
    (settings.SPOOL / name).write_bytes(b"whole, but no update names it")
    assert receive.remove_orphaned_files(timedelta()) == 2
    assert files() == set()
    assert receive.remove_orphaned_files(timedelta()) == 0


@pytest.mark.django_db
def test_the_sweep_keeps_files_for_a_day() -> None:
    settings.SPOOL.mkdir(mode=0o700, exist_ok=True)
    paths = [settings.SPOOL / f"{installation_id.file_prefix()}{age}" for age in ("old", "young")]
    for path, hours in zip(paths, (25, 23), strict=True):
        path.touch()
        mtime = time.time() - hours * 3600
        os.utime(path, (mtime, mtime))
    assert receive.remove_orphaned_files() == 1
    assert files() == {paths[1].name}


@pytest.mark.django_db
def test_the_sweep_keeps_files_of_another_installation() -> None:
    settings.SPOOL.mkdir(mode=0o700, exist_ok=True)
    (settings.SPOOL / f"{'0' * 16}-of-another").touch()
    (settings.SPOOL / "of-an-old-version").touch()
    assert receive.remove_orphaned_files(timedelta()) == 0
    assert len(files()) == 2


def test_the_sweep_keeps_a_file_that_is_being_received(maple: District) -> None:
    receiving, stored = incoming(b"a"), incoming(b"b")
    stored.persist(maple.pk)
    assert receive.remove_orphaned_files(timedelta()) == 0
    assert files() == {f"{receiving.name}.part", stored.name}
    for file in (receiving, stored):
        file.discard()


def test_the_sweep_keeps_the_file_of_an_update(maple: District) -> None:
    update = send(maple, a_class(1))
    assert receive.remove_orphaned_files(timedelta()) == 0
    assert files() == {update.spool_name}


def test_the_sweep_keeps_the_file_of_an_update_that_is_created_meanwhile(
    maple: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = spool._folder

    def meanwhile() -> Path:
        monkeypatch.setattr(spool, "_folder", folder)
        send(maple, a_class(1))
        return folder()

    monkeypatch.setattr(spool, "_folder", meanwhile)
    assert receive.remove_orphaned_files(timedelta()) == 0
    assert files() == {UpdateJob.objects.get().spool_name}
