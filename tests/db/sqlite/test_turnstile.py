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
from django.db import connection, transaction

from rollbook.db.sqlite.turnstile import Turnstile, yield_to_other_writers
from rollbook.districts.models import District
from tests.settings import DURABLE

pytestmark = pytest.mark.only_on("sqlite")

BUSY_WORKER = textwrap.dedent("""
    import sys, time
    from pathlib import Path
    import django
    django.setup()
    from django.db import connection, transaction
    from rollbook.districts.models import District
    from rollbook.db.sqlite.turnstile import yield_to_other_writers

    connection.settings_dict["NAME"] = sys.argv[1]
    while not Path(sys.argv[2]).exists():
        yield_to_other_writers()
        with transaction.atomic():
            District.objects.filter(slug="counter").update(name="busy")
            time.sleep(0.05)
        print("step", flush=True)
""")


@pytest.mark.django_db(transaction=True)
@pytest.mark.process
def test_a_writer_waits_for_a_few_steps_of_a_busy_worker_only(
    tmp_path: Path,
) -> None:
    District.objects.create(name="Counter", slug="counter")
    stop = tmp_path / "stop"
    command = [sys.executable, "-c", BUSY_WORKER, str(connection.settings_dict["NAME"]), str(stop)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as worker:
        assert worker.stdout
        try:
            assert worker.stdout.readline() == "step\n"
            for turn in range(10):
                with transaction.atomic():
                    District.objects.create(name=f"District {turn}", slug=f"district-{turn}")
        finally:
            stop.touch()
        steps = worker.stdout.read().count("step")
    assert worker.returncode == 0
    assert District.objects.filter(slug__startswith="district-").count() == 10
    # Of 50 ms each. Without the turnstile, the writer waits for seconds, or forever.
    assert 1 <= steps <= 60


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
