"""On PostgreSQL, uploaded files are in the database, for workers on all machines."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from rollbook.districts.models import District
from rollbook.updates import problem_store, runner
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
    report_of,
    send,
    send_bytes,
    stored_text,
)

pytestmark = [pytest.mark.only_on("postgresql"), pytest.mark.django_db]


@pytest.fixture
def switch_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[], Path]:
    """Return a function that switches to another spool folder, as on another machine.

    The folder doesn't exist yet.
    """

    def go() -> Path:
        folder = tmp_path / "elsewhere" / "spool"
        monkeypatch.setattr(settings, "SPOOL", folder)
        return folder

    return go


def stored_bytes(update: UpdateJob) -> bytes:
    return b"".join(file_chunks.read(update.spool_name))


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


# Pieces


@pytest.mark.parametrize(
    "size",
    [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 2 * CHUNK_BYTES, 3 * CHUNK_BYTES + 7],
)
def test_a_file_of_any_size_is_read_as_it_was_written(tmp_path: Path, size: int) -> None:
    data = Random(size).randbytes(size)
    path = tmp_path / "file"
    path.write_bytes(data)
    file_chunks.write("file", path)
    assert b"".join(file_chunks.read("file")) == data
    sizes = [len(piece) for piece in file_chunks.read("file")]
    assert sizes == [CHUNK_BYTES] * (size // CHUNK_BYTES) + [size % CHUNK_BYTES] * (
        size % CHUNK_BYTES > 0
    )


def test_all_bytes_are_preserved_and_chunks_are_ordered_by_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_chunks, "CHUNK_BYTES", 5)
    data = bytes(range(256)) + b"\\x00\\\\\\.\n\t\r\x00\xff'%s"
    path = tmp_path / "file"
    path.write_bytes(data)
    file_chunks.write("file", path)
    numbers = list(FileChunk.objects.order_by("pk").values_list("number", flat=True))
    assert numbers == list(range(-(-len(data) // 5)))
    first = FileChunk.objects.get(number=0)
    first.delete()
    FileChunk.objects.create(
        spool_name="file", number=0, data=first.data
    )  # whatever was written last
    assert b"".join(file_chunks.read("file")) == data


def test_files_are_distinguished_by_their_names(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).write_bytes(name.encode())
        file_chunks.write(name, tmp_path / name)
    assert [b"".join(file_chunks.read(name)) for name in ("one", "two", "three")] == [
        b"one",
        b"two",
        b"",
    ]


# A file and its update


def test_the_file_is_in_the_database_as_it_is_in_the_folder(maple: District) -> None:
    data = b"STUDENT_ID,GRADE\r\n\xff1,5"
    update = send_bytes(maple, data).update
    stored = stored_bytes(update)
    assert stored == spool.path_of(update.spool_name).read_bytes()
    assert b"STUDENT_ID" not in stored
    assert stored_text(update.spool_name) == data


@pytest.mark.django_db(transaction=True)
def test_update_and_chunks_are_committed_together_or_not_at_all(
    maple: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fault(*_: object) -> None:
        assert (UpdateJob.objects.count(), FileChunk.objects.count()) == (1, 1)
        raise ZeroDivisionError

    with monkeypatch.context() as broken:
        broken.setattr(problem_store, "save_problems", fault)
        with pytest.raises(ZeroDivisionError):
            send(maple, a_class(3))
    assert (UpdateJob.objects.count(), FileChunk.objects.count()) == (0, 0)
    update = send(maple, a_class(3))
    assert set(FileChunk.objects.values_list("spool_name", flat=True)) == {update.spool_name}


@pytest.mark.django_db(transaction=True)
def test_a_rollback_leaves_neither_update_nor_chunks(maple: District) -> None:
    with transaction.atomic():
        send(maple, a_class(3))
        assert (UpdateJob.objects.count(), FileChunk.objects.count()) == (1, 1)
        transaction.set_rollback(True)
    assert (UpdateJob.objects.count(), FileChunk.objects.count()) == (0, 0)


def test_the_same_file_is_stored_once_while_its_update_is_unfinished(maple: District) -> None:
    data = complete(a_class(3)).encode()
    first, again = send_bytes(maple, data), send_bytes(maple, data)
    assert (again.replayed, again.update) == (True, first.update)
    assert FileChunk.objects.count() == 1


# A worker elsewhere


def test_a_missing_folder_is_created_with_the_file(
    maple: District, switch_machine: Callable[[], Path]
) -> None:
    enroll(maple, a_class(5))
    update = send(maple, a_class(5, GRADE="9"))
    folder = switch_machine()
    assert counts(finish(update)) == {"updated": 5}
    copy = folder / update.spool_name
    assert copy.read_bytes() == stored_bytes(update)
    assert copy.stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700


def test_a_worker_without_the_file_gets_the_same_result(
    maple: District, cedar: District, switch_machine: Callable[[], Path]
) -> None:
    for district in (maple, cedar):
        enroll(district, a_class(5))
    text = (
        f"{a_class(4, GRADE='9')}\ns001,,Anna,,2012-05-13,9\n"
        "nobody,,,,,4\ns004,u004,x,y,2012-05-13,99\n"
    )
    here, there = finish(send(maple, text)), send(cedar, text)
    switch_machine()
    assert counts(finish(there)) == counts(here)
    assert dump(maple) == dump(cedar)


@pytest.mark.parametrize("harm", ["deleted", "emptied", "cut", "another byte", "more bytes"])
def test_a_damaged_copy_is_replaced(maple: District, harm: str) -> None:
    enroll(maple, a_class(5))
    update = send(maple, a_class(5, GRADE="9"))
    path = spool.path_of(update.spool_name)
    data = path.read_bytes()
    harmed = {
        "emptied": b"",
        "cut": data[:-2],
        "another byte": data[:150] + bytes([data[150] ^ 1]) + data[151:],
        "more bytes": data + b"s005,,,,,9\n",
    }
    path.unlink() if harm == "deleted" else path.write_bytes(harmed[harm])
    assert counts(finish(update)) == {"updated": 5}
    assert path.read_bytes() == data


def test_a_check_resumes_on_another_machine(
    maple: District, switch_machine: Callable[[], Path], small_batches: None
) -> None:
    enroll(maple, a_class(9))
    update = send(maple, a_class(9, GRADE="9"))
    next(runner.run_steps(update.pk))
    assert report_of(update).read == 2
    folder = switch_machine()
    assert counts(finish(update)) == {"updated": 9}
    assert files(folder) == {update.spool_name}


def test_a_file_that_is_missing_in_the_database_too_is_missing_and_leaves_no_copy(
    maple: District, switch_machine: Callable[[], Path]
) -> None:
    update = send(maple, a_class(1))
    FileChunk.objects.all().delete()
    folder = switch_machine()
    with pytest.raises(spool.FileMissing):
        finish(update)
    assert not any(name.endswith(".part") for name in files(folder))


def test_a_damaged_chunk_is_detected(
    maple: District, switch_machine: Callable[[], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_chunks, "CHUNK_BYTES", 64)
    update = send(maple, a_class(9))
    assert FileChunk.objects.count() > 3
    FileChunk.objects.filter(number=1).delete()
    switch_machine()
    with pytest.raises(spool.FileMissing):
        finish(update)


def test_an_intact_file_is_not_copied(maple: District, monkeypatch: pytest.MonkeyPatch) -> None:
    update = send(maple, a_class(1))
    monkeypatch.setattr(file_chunks, "read", lambda name: pytest.fail(f"{name} was brought"))
    spool.ensure_available(update.spool_name, update.file_digest)


# The sweep


@pytest.mark.parametrize("end", [State.COMPLETED, State.CANCELED, State.REFUSED])
def test_the_sweep_removes_copies_of_ended_updates_and_they_can_be_copied_again(
    maple: District, end: State
) -> None:
    update = send(maple, "STUDENT_ID\n" if end is State.REFUSED else a_class(3))
    if end is State.CANCELED:
        cancel(maple)
    elif end is State.COMPLETED:
        finish(update)
        finish(send(maple, a_class(4)))  # the file of a manifest is kept
    path, data = spool.path_of(update.spool_name), stored_bytes(update)
    assert report_of(update).state is end
    assert path.read_bytes() == data
    assert receive.remove_orphaned_files(timedelta()) == 1
    assert not path.exists()
    assert stored_bytes(update) == data
    spool.ensure_available(update.spool_name, update.file_digest)
    assert path.read_bytes() == data


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize("until", [State.RECEIVED, State.CHECKING, State.APPLYING])
def test_the_sweep_keeps_copies_of_unfinished_updates(maple: District, until: State) -> None:
    enroll(maple, a_class(9))
    update = send(maple, a_class(9, GRADE="9"), Mode.UPDATE)
    if until is State.CHECKING:
        next(runner.run_steps(update.pk))
    elif until is State.APPLYING:
        applying(update, chunks=1)
    assert report_of(update).state is until
    assert receive.remove_orphaned_files(timedelta()) == 0
    assert spool.path_of(update.spool_name).exists()


def test_the_sweep_keeps_the_file_that_the_next_one_is_compared_with(maple: District) -> None:
    enroll(maple, a_class(9))
    update = send(maple, a_class(9, GRADE="9"))
    finish(update)
    assert receive.remove_orphaned_files(timedelta()) == 1
    assert files(settings.SPOOL) == {update.spool_name}
    UpdateJob.objects.update(file_removed_at=timezone.now())
    assert receive.remove_orphaned_files(timedelta()) == 1


def test_the_sweep_keeps_a_copy_that_is_being_written(
    maple: District, switch_machine: Callable[[], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_chunks, "CHUNK_BYTES", 64)
    update = send(maple, a_class(9))
    folder = switch_machine()
    read, swept = file_chunks.read, []

    def slowly(name: str) -> "list[bytes]":
        chunks = list(read(name))
        swept.append((receive.remove_orphaned_files(timedelta()), len(list(folder.iterdir()))))
        return chunks

    monkeypatch.setattr(file_chunks, "read", slowly)
    spool.ensure_available(update.spool_name, update.file_digest)
    assert swept == [(0, 1)]
    assert files(folder) == {update.spool_name}
