"""On PostgreSQL, a large file is copied to the database while it is scanned."""

import errno
import os
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import OperationalError, connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

from rollbook.districts.models import District
from rollbook.studentfile.reading.reader import FileScan
from rollbook.updates.models import FileChunk, UpdateJob
from rollbook.updates.receiving import early_copy, file_chunks, receive
from rollbook.updates.receiving import files as spool
from rollbook.updates.receiving.receive import QueueFull
from tests.db.database_errors import Kill, watching
from tests.db.threads import in_thread
from tests.updates.night import (
    a_class,
    complete,
    counts,
    enroll,
    finish,
    report_of,
    send,
    send_bytes,
)

pytestmark = [pytest.mark.only_on("postgresql"), pytest.mark.django_db(transaction=True)]

SCAN = "scan"
FILE = complete(a_class(30)).encode()


@pytest.fixture(autouse=True)
def all_files_are_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool, "LARGE_BYTES", 1)
    monkeypatch.setattr(file_chunks, "CHUNK_BYTES", 512)


@pytest.fixture
def while_scanning(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], None]], None]:
    """Return a function that has another one called at the beginning of the next scan."""
    real = receive.scan_stored

    def call(look: Callable[[], None]) -> None:
        def scan_stored(*arguments: Any) -> FileScan:
            monkeypatch.setattr(receive, "scan_stored", real)
            look()
            return real(*arguments)

        monkeypatch.setattr(receive, "scan_stored", scan_stored)

    return call


def is_scan_thread() -> bool:
    return threading.current_thread().name.startswith(SCAN)


def stored_bytes(update: UpdateJob) -> bytes:
    return b"".join(file_chunks.read(update.spool_name))


def assert_nothing_is_left() -> None:
    """At most a file is left that the sweep removes, as after a commit that failed."""
    receive.remove_orphaned_files(timedelta())
    left = (UpdateJob.objects.count(), FileChunk.objects.count(), list(settings.SPOOL.iterdir()))
    assert left == (0, 0, [])
    assert early_copy._second_connection.acquire(blocking=False)
    early_copy._second_connection.release()


def main_connection() -> int:
    """Return the number of this thread's session with the server."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


def until_copied(main: int) -> None:
    """Wait until that session has a transaction and nothing to do."""
    with connection.cursor() as cursor:
        state = ""
        while state != "idle in transaction":
            cursor.execute("SELECT state FROM pg_stat_activity WHERE pid = %s", [main])
            [state] = cursor.fetchone()


# What is stored


def test_the_copy_is_made_while_the_file_is_scanned_and_seen_with_its_update(
    maple: District, while_scanning: Callable[[Callable[[], None]], None]
) -> None:
    seen = []
    main = main_connection()

    def look() -> None:
        until_copied(main)
        seen.append((is_scan_thread(), UpdateJob.objects.count(), FileChunk.objects.count()))

    while_scanning(look)
    update = send_bytes(maple, FILE).update
    assert seen == [(True, 0, 0)]
    assert FileChunk.objects.count() > 2
    assert stored_bytes(update) == spool.path_of(update.spool_name).read_bytes()


@pytest.mark.parametrize(
    "data",
    [
        FILE,
        FILE.replace(b",", b";"),
        b"STUDENT_ID\n",
        b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n",
        FILE.replace(b"Ann", "Änn".encode("latin-1")),
    ],
    ids=["usual", "converted", "refused", "not converted", "another encoding"],
)
def test_the_update_is_that_of_a_file_that_was_scanned_first(
    maple: District, cedar: District, monkeypatch: pytest.MonkeyPatch, data: bytes
) -> None:
    early = send_bytes(maple, data).update
    monkeypatch.setattr(spool, "LARGE_BYTES", 1 << 30)
    usual = send_bytes(cedar, data).update
    assert stored_bytes(early) == spool.path_of(early.spool_name).read_bytes()
    for name in ("state", "rows", "header", "detected_encoding", "rules", "problem_counts"):
        assert getattr(early, name) == getattr(usual, name), name
    assert list(early.problem_set.values_list("line", "code")) == list(
        usual.problem_set.values_list("line", "code")
    )


def test_a_file_that_resembles_the_last_one_is_scanned_with_its_lots(
    maple: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    enroll(maple, a_class(200))
    assert counts(finish(send(maple, a_class(200)))) == {"unchanged": 200}
    changed = a_class(200).replace("Ann100", "Eva100")
    assert counts(finish(send(maple, changed))) == {"updated": 1, "unchanged": 199}


# Faults


@pytest.mark.parametrize("thread", ["main", SCAN])
def test_a_death_at_any_statement_of_either_connection_leaves_nothing(
    maple: District, thread: str
) -> None:
    send_bytes(maple, FILE)  # the first one creates keys
    UpdateJob.objects.all().delete()
    file_chunks.remove(FileChunk.objects.values_list("spool_name", flat=True))
    receive.remove_orphaned_files(timedelta())
    statement = 1
    while dies(maple, thread, statement) and not UpdateJob.objects.exists():
        assert_nothing_is_left()
        statement += 1
    assert statement > {"main": 15, SCAN: 3}[thread]
    update = UpdateJob.objects.get()
    assert stored_bytes(update) == spool.path_of(update.spool_name).read_bytes()


def dies(district: District, thread: str, statement: int) -> bool:
    """Send the file, and return whether there is this statement, at which the thread ends."""
    left = statement

    def count() -> None:
        nonlocal left
        if is_scan_thread() == (thread == SCAN):
            left -= 1
            if left == 0:
                raise Kill

    with watching(count):
        try:
            send_bytes(district, FILE)
        except Kill:
            return True
    return False


@pytest.mark.parametrize("is_copied", [False, True])
def test_a_connection_that_is_lost_with_the_copy_leaves_nothing(
    maple: District,
    while_scanning: Callable[[Callable[[], None]], None],
    *,
    is_copied: bool,
) -> None:
    main = main_connection()

    def end_session() -> None:
        if is_copied:
            until_copied(main)
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s)", [main])

    while_scanning(end_session)
    with pytest.raises(OperationalError):
        send_bytes(maple, FILE)
    connection.close()
    assert_nothing_is_left()
    assert report_of(send_bytes(maple, FILE).update).rows == 30


def test_a_copy_that_fails_leaves_nothing(maple: District) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "ALTER TABLE updates_filechunk ADD CONSTRAINT no_room CHECK (number < 2) NOT VALID"
        )
    try:
        with pytest.raises(Exception, match="no_room"):
            send_bytes(maple, FILE)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE updates_filechunk DROP CONSTRAINT no_room")
    assert_nothing_is_left()


def test_a_scan_that_fails_leaves_nothing(
    maple: District, while_scanning: Callable[[Callable[[], None]], None]
) -> None:
    def fail() -> None:
        raise OSError("broken")

    while_scanning(fail)
    with pytest.raises(OSError, match="broken"):
        send_bytes(maple, FILE)
    assert_nothing_is_left()


def test_a_full_queue_leaves_no_chunk(maple: District) -> None:
    for number in range(receive.MAX_WAITING + 1):
        send(maple, a_class(number + 1))
    names = set(FileChunk.objects.values_list("spool_name", flat=True))
    with pytest.raises(QueueFull):
        send_bytes(maple, FILE)
    assert set(FileChunk.objects.values_list("spool_name", flat=True)) == names
    assert len(names) == receive.MAX_WAITING + 1


def test_without_another_connection_the_file_is_copied_after_the_scan(maple: District) -> None:
    def refuse(connection: BaseDatabaseWrapper, **more: object) -> None:
        if is_scan_thread():
            raise OperationalError("too many connections")

    connection_created.connect(refuse)
    try:
        update = send_bytes(maple, FILE).update
    finally:
        connection_created.disconnect(refuse)
    assert stored_bytes(update) == spool.path_of(update.spool_name).read_bytes()


@pytest.mark.parametrize("slow", ["scan", "disk"])
def test_scan_and_sync_may_take_longer_than_a_transaction_may_be_idle(
    maple: District,
    while_scanning: Callable[[Callable[[], None]], None],
    monkeypatch: pytest.MonkeyPatch,
    slow: str,
) -> None:
    monkeypatch.setattr(early_copy, "MAX_IDLE_S", 0.05)
    with connection.cursor() as cursor:
        cursor.execute("SET idle_in_transaction_session_timeout = '1s'")
    real = os.fsync

    def sync_slowly(handle: int) -> None:
        if threading.current_thread() is not threading.main_thread():
            time.sleep(2)
        real(handle)

    if slow == "scan":
        while_scanning(lambda: time.sleep(2))
    else:
        monkeypatch.setattr(os, "fsync", sync_slowly)
    assert stored_bytes(send_bytes(maple, FILE).update)
    connection.close()


def test_a_disk_that_fails_during_the_scan_leaves_nothing(
    maple: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(handle: int) -> None:
        raise OSError(errno.EIO, "broken")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="broken"):
        send_bytes(maple, FILE)
    assert_nothing_is_left()


# Others at the same time


def test_the_same_file_sent_twice_at_once_is_stored_once(
    maple: District, while_scanning: Callable[[Callable[[], None]], None]
) -> None:
    while_scanning(lambda: in_thread(lambda: send_bytes(maple, FILE)).join())
    receipt = send_bytes(maple, FILE)
    assert receipt.replayed
    assert set(FileChunk.objects.values_list("spool_name", flat=True)) == {
        UpdateJob.objects.get().spool_name
    }
    assert len(list(settings.SPOOL.iterdir())) == 1


def test_two_files_of_a_district_and_one_of_its_neighbor_are_stored_at_once(
    maple: District, cedar: District, while_scanning: Callable[[Callable[[], None]], None]
) -> None:
    def send_others() -> None:
        in_thread(lambda: send(maple, a_class(5))).join()
        in_thread(lambda: send(cedar, a_class(6))).join()

    while_scanning(send_others)
    send_bytes(maple, FILE)
    updates = UpdateJob.objects.order_by("district", "number")
    assert [(each.district, each.number, each.rows) for each in updates] == [
        (maple, 1, 5),
        (maple, 2, 30),
        (cedar, 1, 6),
    ]
    for update in updates:
        assert stored_bytes(update) == spool.path_of(update.spool_name).read_bytes()


def test_the_sweep_keeps_a_file_that_is_being_copied(
    maple: District, while_scanning: Callable[[Callable[[], None]], None]
) -> None:
    swept = []
    while_scanning(lambda: swept.append(receive.remove_orphaned_files(timedelta())))
    update = send_bytes(maple, FILE).update
    assert swept == [0]
    assert stored_bytes(update) == spool.path_of(update.spool_name).read_bytes()
