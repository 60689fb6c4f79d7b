"""Writers next to a busy worker, with real processes on one database file."""

import fcntl
import gc
import os
import sqlite3
import subprocess
import sys
import textwrap
import threading
from contextlib import closing
from pathlib import Path

import pytest
from django.db import DatabaseError, connection, transaction

from rollbook.db.sqlite.turnstile import Turnstile, yield_to_other_writers
from rollbook.districts.models import District
from tests.patience import TIMEOUT_S
from tests.settings import DURABLE

pytestmark = pytest.mark.only_on("sqlite")

BUSY_WORKER = textwrap.dedent("""
    import sys, time
    from pathlib import Path
    import django
    django.setup()
    from django.db import connection, transaction
    from rollbook.districts.models import District
    from rollbook.db.sqlite import turnstile

    connection.settings_dict["NAME"] = sys.argv[1]
    turnstile.MAX_WAIT_S = float(sys.argv[3])
    while not Path(sys.argv[2]).exists():
        turnstile.yield_to_other_writers()
        with transaction.atomic():
            counter = District.objects.get(slug="counter")
            District.objects.filter(pk=counter.pk).update(name=int(counter.name) + 1)
            time.sleep(0.05)
        print("step", flush=True)
""")


def steps_so_far() -> int:
    """Return how many steps the worker has committed, whoever is writing now."""
    with closing(sqlite3.connect(connection.settings_dict["NAME"])) as database:
        query = "SELECT name FROM districts_district WHERE slug = 'counter'"
        return int(database.execute(query).fetchone()[0])


@pytest.mark.django_db(transaction=True)
@pytest.mark.process
def test_a_writer_waits_for_the_present_step_of_a_busy_worker_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rollbook.db.sqlite.turnstile.MAX_WAIT_S", TIMEOUT_S)
    District.objects.create(name="0", slug="counter")
    before: list[int] = []
    enter = Turnstile.enter

    def noting(self: Turnstile) -> None:
        enter(self)
        before.append(steps_so_far())

    monkeypatch.setattr(Turnstile, "enter", noting)
    stop, name = tmp_path / "stop", str(connection.settings_dict["NAME"])
    command = [sys.executable, "-c", BUSY_WORKER, name, str(stop), str(TIMEOUT_S)]
    waited = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as worker:
        assert worker.stdout
        try:
            for turn in range(10):
                assert worker.stdout.readline() == "step\n"
                with transaction.atomic():
                    waited.append(steps_so_far() - before[-1])
                    District.objects.create(name=f"District {turn}", slug=f"district-{turn}")
        finally:
            stop.touch()
        worker.stdout.read()
    assert worker.returncode == 0
    assert District.objects.filter(slug__startswith="district-").count() == 10
    # Without the turnstile, the writer waits for seconds, or forever.
    assert max(waited) <= 1


def test_the_worker_waits_until_the_shared_lock_is_released(tmp_path: Path) -> None:
    inside, worker = Turnstile(str(tmp_path / "turnstile")), Turnstile(str(tmp_path / "turnstile"))
    inside.enter()
    passed = threading.Event()

    def pass_through() -> None:
        worker.pass_through()
        passed.set()

    thread = threading.Thread(target=pass_through)
    thread.start()
    assert not passed.wait(0.1)
    inside.leave()
    assert passed.wait(60)
    thread.join()


def test_the_worker_does_not_wait_forever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rollbook.db.sqlite.turnstile.MAX_WAIT_S", 0.1)
    inside, worker = Turnstile(str(tmp_path / "turnstile")), Turnstile(str(tmp_path / "turnstile"))
    inside.enter()
    worker.pass_through()


def test_a_writer_does_not_wait_forever_for_a_worker_that_is_frozen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rollbook.db.sqlite.turnstile.MAX_WAIT_S", 0.1)
    writer, path = Turnstile(str(tmp_path / "turnstile")), tmp_path / "turnstile"
    with path.open("rb") as frozen:
        fcntl.flock(frozen, fcntl.LOCK_EX)
        writer.enter()
        writer.leave()


@pytest.mark.django_db(transaction=True)
def test_commit_and_rollback_release_the_turnstile() -> None:
    with transaction.atomic():
        District.objects.create(name="Kept", slug="kept")
        assert not _is_free()
    assert _is_free()
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        raise ZeroDivisionError
    assert _is_free()
    yield_to_other_writers()
    assert _is_free()


@pytest.mark.django_db(transaction=True)
def test_a_statement_without_a_transaction_holds_the_turnstile_too() -> None:
    District.objects.create(name="Maple", slug="maple")
    assert connection.connection
    connection.connection.create_function("is_free", 0, _is_free)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE districts_district SET name = is_free()")
        assert _is_free()
        with pytest.raises(DatabaseError):
            cursor.execute("UPDATE districts_district SET name = NULL")
        assert _is_free()
        cursor.execute("SELECT is_free()")
        assert cursor.fetchone() == (1,)
    assert District.objects.get().name == "0"
    connection.close()


def _is_free() -> bool:
    """Return whether no connection holds the lock."""
    with Path(f"{connection.settings_dict['NAME']}.turnstile").open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


def test_the_database_is_as_durable_as_promised(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "database.sqlite3")) as database:
        database.executescript(DURABLE)
        values = {}
        for pragma in ("journal_mode", "synchronous", "foreign_keys"):
            values[pragma] = database.execute(f"PRAGMA {pragma}").fetchone()[0]
    assert values == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
    assert sqlite3.sqlite_version_info >= (3, 39)


def test_the_file_is_closed_with_its_connection(tmp_path: Path) -> None:
    turnstile = Turnstile(str(tmp_path / "turnstile"))
    descriptor = turnstile._file
    os.fstat(descriptor)
    del turnstile
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)


@pytest.mark.filterwarnings("error::pytest.PytestUnraisableExceptionWarning")
def test_a_file_that_cannot_be_opened_leaves_no_traceback_behind(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError):
        Turnstile(str(tmp_path / "file" / "turnstile"))
    gc.collect()
