"""On PostgreSQL an uploaded file stands in the database, so that any worker anywhere can have it."""

import os
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
from django.conf import settings
from django.db import transaction

from rollbook.districts.models import District
from rollbook.updates import runner
from rollbook.updates.cancel import cancel
from rollbook.updates.models import FileChunk, UpdateJob
from rollbook.updates.receiving import file_chunks, receive
from rollbook.updates.receiving import files as spool
from rollbook.updates.receiving.file_chunks import CHUNK_BYTES
from rollbook.updates.state_machine import Mode, State
from tests.updates.night import (
    a_class,
    applying,
    complete,
    counts,
    dump,
    enroll,
    finish,
    send,
    send_bytes,
    told,
)

pytestmark = [pytest.mark.only_on("postgresql"), pytest.mark.django_db]


@pytest.fixture
def go_elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[], Path]:
    """From then on we are a worker whose folder is another one, which is not there yet."""

    def go() -> Path:
        folder = tmp_path / "elsewhere" / "spool"
        monkeypatch.setattr(settings, "SPOOL", folder)
        return folder

    return go


def kept(update: UpdateJob) -> bytes:
    return b"".join(file_chunks.read(update.spool_name))


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


# Pieces


@pytest.mark.parametrize(
    "size",
    [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 2 * CHUNK_BYTES, 3 * CHUNK_BYTES + 7],
)
def test_a_file_of_any_size_comes_back_byte_by_byte(tmp_path: Path, size: int) -> None:
    data = Random(size).randbytes(size)
    path = tmp_path / "file"
    path.write_bytes(data)
    file_chunks.write("file", path)
    assert b"".join(file_chunks.read("file")) == data
    sizes = [len(piece) for piece in file_chunks.read("file")]
    assert sizes == [CHUNK_BYTES] * (size // CHUNK_BYTES) + [size % CHUNK_BYTES] * (
        size % CHUNK_BYTES > 0
    )


def test_every_byte_is_itself_and_pieces_come_in_the_order_of_their_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_chunks, "CHUNK_BYTES", 5)
    data = bytes(range(256)) + b"\\x00\\\\\\.\n\t\r\x00\xff'%s"
    path = tmp_path / "file"
    path.write_bytes(data)
    file_chunks.write("file", path)
    found = list(FileChunk.objects.order_by("pk").values_list("number", flat=True))
    assert found == list(range(-(-len(data) // 5)))
    first = FileChunk.objects.get(number=0)
    first.delete()
    FileChunk.objects.create(
        spool_name="file", number=0, data=first.data
    )  # whatever was written last
    assert b"".join(file_chunks.read("file")) == data


def test_files_are_told_by_their_names(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).write_bytes(name.encode())
        file_chunks.write(name, tmp_path / name)
    assert [b"".join(file_chunks.read(name)) for name in ("one", "two", "three")] == [
        b"one",
        b"two",
        b"",
    ]


# A file and its update


def test_the_file_stands_in_the_database_as_it_came_in(maple: District) -> None:
    data = b"STUDENT_ID,GRADE\r\n\xff1,5"
    assert kept(send_bytes(maple, data).update) == data


@pytest.mark.django_db(transaction=True)
def test_update_and_pieces_are_committed_together_or_not_at_all(
    maple: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fault(update_id: int) -> None:
        assert FileChunk.objects.exists()
        raise ZeroDivisionError

    with monkeypatch.context() as broken:
        broken.setattr(runner, "notify_engine", fault)
        with pytest.raises(ZeroDivisionError):
            send(maple, a_class(3))
    assert (UpdateJob.objects.count(), FileChunk.objects.count()) == (0, 0)
    update = send(maple, a_class(3))
    assert set(FileChunk.objects.values_list("spool_name", flat=True)) == {update.spool_name}


@pytest.mark.django_db(transaction=True)
def test_what_is_rolled_back_around_it_leaves_neither(maple: District) -> None:
    with transaction.atomic():
        send(maple, a_class(3))
        assert (UpdateJob.objects.count(), FileChunk.objects.count()) == (1, 1)
        transaction.set_rollback(True)
    assert (UpdateJob.objects.count(), FileChunk.objects.count()) == (0, 0)


def test_the_same_bytes_while_they_live_stand_there_once(maple: District) -> None:
    data = complete(a_class(3)).encode()
    first, again = send_bytes(maple, data), send_bytes(maple, data)
    assert (again.replayed, again.update) == (True, first.update)
    assert FileChunk.objects.count() == 1


# A worker elsewhere


def test_a_folder_that_is_not_there_yet_is_made_with_the_file(
    maple: District, go_elsewhere: Callable[[], Path]
) -> None:
    enroll(maple, a_class(5))
    update = send(maple, a_class(5, GRADE="9"))
    folder = go_elsewhere()
    assert counts(finish(update)) == {"updated": 5}
    copy = folder / update.spool_name
    assert copy.read_bytes() == kept(update)
    assert copy.stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700


def test_a_worker_without_the_file_does_the_same_as_one_that_has_it(
    maple: District, cedar: District, go_elsewhere: Callable[[], Path]
) -> None:
    for district in (maple, cedar):
        enroll(district, a_class(5))
    night = f"{a_class(4, GRADE='9')}\ns001,,Anna,,2012-05-13,9\nnobody,,,,,4\ns004,u004,x,y,2012-05-13,99\n"
    here, there = finish(send(maple, night)), send(cedar, night)
    go_elsewhere()
    assert counts(finish(there)) == counts(here)
    assert dump(maple) == dump(cedar)


@pytest.mark.parametrize("harm", ["deleted", "emptied", "cut", "another byte", "more bytes"])
def test_a_copy_that_is_not_what_came_in_is_brought_again(maple: District, harm: str) -> None:
    enroll(maple, a_class(5))
    update = send(maple, a_class(5, GRADE="9"))
    path = spool.path_of(update.spool_name)
    data = path.read_bytes()
    harmed = {
        "emptied": b"",
        "cut": data[:-2],
        "another byte": data.replace(b",9", b",8", 1),
        "more bytes": data + b"s005,,,,,9\n",
    }
    path.unlink() if harm == "deleted" else path.write_bytes(harmed[harm])
    assert counts(finish(update)) == {"updated": 5}
    assert path.read_bytes() == data


def test_a_check_that_goes_on_elsewhere_goes_on_where_it_was(
    maple: District, go_elsewhere: Callable[[], Path], small_batches: None
) -> None:
    enroll(maple, a_class(9))
    update = send(maple, a_class(9, GRADE="9"))
    next(runner.run_steps(update.pk))
    assert told(update).read == 2
    folder = go_elsewhere()
    assert counts(finish(update)) == {"updated": 9}
    assert files(folder) == {update.spool_name}


def test_a_file_that_the_database_has_lost_too_is_lost_and_leaves_no_copy(
    maple: District, go_elsewhere: Callable[[], Path]
) -> None:
    update = send(maple, a_class(1))
    FileChunk.objects.all().delete()
    folder = go_elsewhere()
    with pytest.raises(spool.FileMissing):
        finish(update)
    assert not any(name.endswith(".part") for name in files(folder))


def test_a_piece_that_was_harmed_is_noticed(
    maple: District, go_elsewhere: Callable[[], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_chunks, "CHUNK_BYTES", 64)
    update = send(maple, a_class(9))
    assert FileChunk.objects.count() > 3
    FileChunk.objects.filter(number=1).delete()
    go_elsewhere()
    with pytest.raises(spool.FileMissing):
        finish(update)


def test_a_file_that_is_whole_is_not_brought(
    maple: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    update = send(maple, a_class(1))
    monkeypatch.setattr(file_chunks, "read", lambda name: pytest.fail(f"{name} was brought"))
    spool.ensure_available(update.spool_name, update.file_digest)


# The sweep


@pytest.mark.parametrize("end", [State.COMPLETED, State.CANCELED, State.REFUSED])
def test_the_sweep_takes_copies_of_updates_that_have_ended_and_they_come_again(
    maple: District, end: State
) -> None:
    update = send(maple, "STUDENT_ID\n" if end is State.REFUSED else a_class(3))
    if end is State.CANCELED:
        cancel(maple)
    elif end is State.COMPLETED:
        finish(update)
    path, data = spool.path_of(update.spool_name), kept(update)
    assert told(update).state is end
    assert path.read_bytes() == data
    assert receive.remove_orphaned_files() == 1
    assert files(settings.SPOOL) == set()
    assert kept(update) == data
    spool.ensure_available(update.spool_name, update.file_digest)
    assert path.read_bytes() == data


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize("until", [State.RECEIVED, State.CHECKING, State.APPLYING])
def test_the_sweep_spares_copies_of_updates_that_live(maple: District, until: State) -> None:
    enroll(maple, a_class(9))
    receive.remove_orphaned_files()
    update = send(maple, a_class(9, GRADE="9"), Mode.UPDATE)
    if until is State.CHECKING:
        next(runner.run_steps(update.pk))
    elif until is State.APPLYING:
        applying(update, chunks=1)
    assert told(update).state is until
    assert receive.remove_orphaned_files() == 0
    assert files(settings.SPOOL) == {update.spool_name}


def test_the_sweep_spares_a_copy_that_is_being_brought(
    maple: District, go_elsewhere: Callable[[], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_chunks, "CHUNK_BYTES", 64)
    update = send(maple, a_class(9))
    folder = go_elsewhere()
    read, swept = file_chunks.read, []

    def slowly(name: str) -> "list[bytes]":
        found = list(read(name))
        swept.append((receive.remove_orphaned_files(), len(os.listdir(folder))))
        return found

    monkeypatch.setattr(file_chunks, "read", slowly)
    spool.ensure_available(update.spool_name, update.file_digest)
    assert swept == [(0, 1)]
    assert files(folder) == {update.spool_name}
