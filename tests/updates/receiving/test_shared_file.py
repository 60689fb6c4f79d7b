"""On PostgreSQL, a large file that is sent again is stored once."""

import time
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from rollbook.districts.models import District
from rollbook.studentfile.reading.reader import FileScan
from rollbook.updates import retention
from rollbook.updates.exports import rejected_rows
from rollbook.updates.models import FileChunk, UpdateJob
from rollbook.updates.receiving import file_chunks, receive
from rollbook.updates.receiving import files as spool
from rollbook.updates.receiving.receive import Receipt
from rollbook.updates.state_machine import Mode
from tests.db.threads import in_thread
from tests.updates.night import a_class, complete, counts, enroll, finish, report_of, send_bytes

pytestmark = [pytest.mark.only_on("postgresql"), pytest.mark.django_db(transaction=True)]

FILE = complete(f"{a_class(8, GRADE='9')}\ns008,u008,x,y,2012-05-13,99").encode()


@pytest.fixture(autouse=True)
def all_files_are_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool, "LARGE_BYTES", 1)
    monkeypatch.setattr(file_chunks, "CHUNK_BYTES", 64)


@pytest.fixture
def first(maple: District) -> UpdateJob:
    """The update of a file, completed."""
    enroll(maple, a_class(9))
    return finished(send_bytes(maple, FILE))


def finished(receipt: Receipt) -> UpdateJob:
    finish(receipt.update)
    return UpdateJob.objects.get(pk=receipt.update.pk)


def expire(now: datetime) -> None:
    while retention.remove_expired(now):
        pass


def backdate(update: UpdateJob) -> None:
    """Let the file of an update be one that is due to be removed."""
    UpdateJob.objects.filter(pk=update.pk).update(ended_at=timezone.now() - timedelta(days=99))


def rejected(update: UpdateJob) -> str:
    return "".join(rejected_rows.csv_lines(update))


@pytest.mark.parametrize("data", [FILE, FILE.replace(b",", b";")], ids=["usual", "converted"])
def test_a_file_that_is_sent_again_is_stored_once(maple: District, data: bytes) -> None:
    enroll(maple, a_class(9))
    first = finished(send_bytes(maple, data))
    stored = FileChunk.objects.count()
    names = {path.name for path in spool.path_of("x").parent.iterdir()}
    second = finished(send_bytes(maple, data))
    assert second.pk != first.pk
    assert (second.spool_name, second.file_digest) == (first.spool_name, first.file_digest)
    assert FileChunk.objects.count() == stored
    assert {path.name for path in spool.path_of("x").parent.iterdir()} == names
    assert counts(report_of(second)) == {"unchanged": 8, "rejected": 1}
    assert rejected(second).splitlines()[1:] == rejected(first).splitlines()[1:] != []


def test_it_can_be_sent_in_another_mode(maple: District, first: UpdateJob) -> None:
    second = finished(send_bytes(maple, FILE, Mode.ADD))
    assert second.spool_name == first.spool_name
    assert counts(report_of(second)) == {"unchanged": 8, "rejected": 1}


def test_another_district_or_another_byte_is_another_file(
    maple: District, cedar: District, first: UpdateJob
) -> None:
    enroll(cedar, a_class(9))
    other = finished(send_bytes(cedar, FILE))
    changed = finished(send_bytes(maple, FILE.replace(b"s001", b"s002", 1)))
    assert len({first.spool_name, other.spool_name, changed.spool_name}) == 3


@pytest.mark.parametrize("chunks", [{"number": 0}, {"number__gt": 2}, {}])
def test_a_file_that_the_database_has_lost_is_stored_again(
    maple: District, first: UpdateJob, chunks: dict[str, int]
) -> None:
    FileChunk.objects.filter(spool_name=first.spool_name, **chunks).delete()
    second = finished(send_bytes(maple, FILE))
    assert second.spool_name != first.spool_name
    assert file_chunks.size(second.spool_name) > len(FILE)


def test_it_is_kept_as_long_as_one_of_its_updates_needs_it(
    maple: District, first: UpdateJob
) -> None:
    second = finished(send_bytes(maple, FILE))
    backdate(first)
    expire(timezone.now())
    first.refresh_from_db()
    assert first.file_removed_at
    assert file_chunks.exist(first.spool_name)
    assert rejected(second)
    third = finished(send_bytes(maple, FILE))
    assert third.spool_name == first.spool_name
    for update in (second, third):
        backdate(update)
    expire(timezone.now())
    assert not file_chunks.exist(first.spool_name)
    assert not spool.path_of(first.spool_name).exists()
    assert finished(send_bytes(maple, FILE)).spool_name != first.spool_name


def test_if_it_is_removed_while_it_is_sent_again_it_is_stored_again(
    maple: District, first: UpdateJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    backdate(first)
    scan_stored = receive.scan_stored

    def removed_first(*arguments: Any) -> FileScan:
        in_thread(lambda: expire(timezone.now())).join()
        return scan_stored(*arguments)

    monkeypatch.setattr(receive, "scan_stored", removed_first)
    update = send_bytes(maple, FILE).update
    assert not file_chunks.exist(first.spool_name)
    assert update.spool_name != first.spool_name
    assert file_chunks.exist(update.spool_name)
    assert counts(finish(update)) == {"unchanged": 8, "rejected": 1}


def test_retention_waits_for_an_update_that_is_being_created(
    maple: District, first: UpdateJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    backdate(first)
    create_update, removals = receive.create_update, []

    def meanwhile(*arguments: Any) -> Receipt:
        removals.append(in_thread(lambda: expire(timezone.now())))
        wait_for_a_lock()
        return create_update(*arguments)

    monkeypatch.setattr(receive, "create_update", meanwhile)
    update = send_bytes(maple, FILE).update
    [removal] = removals
    removal.join()
    first.refresh_from_db()
    assert first.file_removed_at
    assert update.spool_name == first.spool_name
    assert file_chunks.exist(update.spool_name)
    assert counts(finish(update)) == {"unchanged": 8, "rejected": 1}


def wait_for_a_lock() -> None:
    """Wait until another session of this database waits for a lock."""
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    waiting += " AND datname = current_database()"
    with connection.cursor() as cursor:
        while cursor.execute(waiting).fetchone() == (0,):
            time.sleep(0.01)
            cursor.execute("SELECT pg_stat_clear_snapshot()")  # which lasts for a transaction
