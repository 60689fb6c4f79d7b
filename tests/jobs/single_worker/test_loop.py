"""The loop of a single worker: the order of updates, and errors."""

import errno
import shutil
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import ProgrammingError, connection
from django.db.migrations.recorder import MigrationRecorder

from rollbook.db.schema_version import DatabaseIsNewer
from rollbook.districts.models import District
from rollbook.jobs.housekeeping import PeriodicTask
from rollbook.jobs.single_worker import loop
from rollbook.jobs.single_worker.heartbeat import WorkerLock
from rollbook.updates import runner
from rollbook.updates.applying import apply
from tests.jobs.conftest import new_students

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("small_steps")]


def test_a_small_district_does_not_wait_for_a_large_one(maple: District, cedar: District) -> None:
    large, small = new_students(maple, 400), new_students(cedar, 10)
    scheduler = loop.Scheduler()
    for _ in range(30):
        scheduler.run_one_round()
    large.refresh_from_db()
    small.refresh_from_db()
    assert small.state == "completed"
    assert large.state == "checking"


def test_an_update_that_is_received_meanwhile_takes_turns(
    maple: District, cedar: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "LOOK_INTERVAL_S", 0)
    large, scheduler = new_students(maple, 400), loop.Scheduler()
    scheduler.run_one_round()
    small = new_students(cedar, 10)
    for _ in range(30):
        scheduler.run_one_round()
    large.refresh_from_db()
    small.refresh_from_db()
    assert (small.state, large.state) == ("completed", "checking")


def test_the_next_update_of_a_district_is_begun_right_after_the_last_one(
    maple: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "LOOK_INTERVAL_S", 3600)
    first, second = new_students(maple, 20), new_students(maple, 30)
    scheduler = loop.Scheduler()
    while runner.has_work(first.pk):
        assert scheduler.run_one_round() == 0
    scheduler.run_one_round()
    second.refresh_from_db()
    assert second.state == "checking"


@pytest.mark.only_on("sqlite")
def test_the_size_of_the_page_cache_is_set_for_a_new_connection_too(
    maple: District,
) -> None:
    scheduler = loop.Scheduler()
    for _ in range(2):
        scheduler.run_one_round()
        with connection.cursor() as cursor:
            assert cursor.execute("PRAGMA cache_size").fetchone() == (-loop.CACHE_KIB,)
        connection.close()


@pytest.mark.only_on("sqlite")
def test_the_write_ahead_log_is_copied_when_no_update_is_left(
    maple: District, tmp_path: Path
) -> None:
    def completed() -> list[int]:
        """Return the completed updates that are in the file of the database without its log."""
        copy = tmp_path / "copy.sqlite3"
        shutil.copy(connection.settings_dict["NAME"], copy)
        with closing(sqlite3.connect(f"file:{copy}?mode=ro&immutable=1", uri=True)) as opened:
            rows = opened.execute("SELECT id FROM updates_updatejob WHERE state = 'completed'")
            return [pk for (pk,) in rows]

    first, second = new_students(maple, 20), new_students(maple, 30)
    scheduler = loop.Scheduler()
    while runner.has_work(first.pk) or runner.has_work(second.pk):
        scheduler.run_one_round()
        assert completed() == []
    scheduler.run_one_round()
    assert completed() == [first.pk, second.pk]


def test_updates_of_one_district_are_done_one_after_the_other(maple: District) -> None:
    first, second = new_students(maple, 20), new_students(maple, 30)
    scheduler = loop.Scheduler()
    while runner.has_work(first.pk):
        second.refresh_from_db()
        assert second.state == "received"
        scheduler.run_one_round()
    loop.work_on(second.pk, lambda: None)
    second.refresh_from_db()
    assert (second.state, second.rows_unchanged, second.rows_added) == ("completed", 20, 10)


def test_a_full_disk_keeps_the_state_and_the_update_continues_when_there_is_space(
    maple: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    update = new_students(maple, 30)

    def fail(*arguments: Any) -> Iterator[None]:
        raise OSError(errno.ENOSPC, "No space left on device")

    scheduler = loop.Scheduler()
    with monkeypatch.context() as full:
        full.setattr(apply, "_apply", fail)
        pauses = [scheduler.run_one_round() for _ in range(40)]
    update.refresh_from_db()
    assert (update.state, update.rows_added) == ("applying", 0)
    assert max(pauses) > 1
    loop.work_on(update.pk, lambda: None)
    update.refresh_from_db()
    assert (update.state, update.rows_added) == ("completed", 30)


def test_a_repeated_error_fails_the_update_with_a_reference(
    maple: District,
    cedar: District,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    broken, queued = new_students(maple, 30), new_students(maple, 31)

    def fail(*arguments: Any) -> None:
        raise ValueError("Last7 is a student's name")

    scheduler = loop.Scheduler()
    with monkeypatch.context() as faulty:
        faulty.setattr(apply, "_apply", fail)
        for _ in range(40):
            scheduler.run_one_round()
            broken.refresh_from_db()
            if broken.state == "failed":
                break
    assert broken.state == "failed"
    assert broken.error_reference in caplog.text
    loop.work_on(queued.pk, lambda: None)
    queued.refresh_from_db()
    assert queued.state == "completed"


def test_work_on_leaves_the_update_to_a_worker_that_is_active(
    maple: District,
) -> None:
    update = new_students(maple, 10)
    worker = WorkerLock()
    assert worker.acquire()
    calls = 0

    def watch() -> None:
        nonlocal calls
        calls += 1
        update.refresh_from_db()
        assert calls > 3 or update.state == "received"
        if calls == 3:
            worker.release()

    loop.work_on(update.pk, watch)
    update.refresh_from_db()
    assert update.state == "completed"
    assert calls > 3


def test_stopping_between_two_steps_counts_no_failed_attempt(maple: District) -> None:
    update = new_students(maple, 10)
    for _ in range(5):
        scheduler = loop.Scheduler()
        scheduler._steps_by_update[update.pk] = runner.run_steps(update.pk)
        runner._start_run(update.pk)
        scheduler.release_all()
    update.refresh_from_db()
    assert (update.state, update.attempts_without_progress) == ("checking", 0)


@pytest.fixture
def newer() -> Iterator[Callable[[], None]]:
    """Return a function that changes the database as a newer version would."""
    key = ("updates", "9999_newer")
    yield lambda: MigrationRecorder(connection).record_applied(*key)
    MigrationRecorder(connection).record_unapplied(*key)


def test_a_worker_that_finds_a_newer_database_leaves_the_update_to_another_one(
    maple: District, newer: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "CHECK_INTERVAL_S", 0.0)
    update = new_students(maple, 400)
    scheduler = loop.Scheduler()
    scheduler.run_one_round()
    newer()
    with pytest.raises(DatabaseIsNewer):
        scheduler.run_one_round()
    scheduler.release_all()
    update.refresh_from_db()
    assert (update.state, update.attempts_without_progress) == ("checking", 0)


def test_an_error_after_a_migration_by_a_newer_version_counts_no_failed_attempt(
    maple: District, newer: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    update = new_students(maple, 30)

    def fail(*arguments: Any) -> Iterator[None]:
        raise ProgrammingError("no such column")

    scheduler = loop.Scheduler()
    while update.state != "applying":
        scheduler.run_one_round()
        update.refresh_from_db()
    newer()
    monkeypatch.setattr(apply, "_apply", fail)
    assert scheduler.run_one_round() > 0
    with pytest.raises(DatabaseIsNewer):
        scheduler.run_one_round()
    update.refresh_from_db()
    assert (update.state, update.attempts_without_progress) == ("applying", 0)


def test_a_periodic_task_that_finds_work_lets_other_writers_go_first_each_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    done: list[str] = []
    stop = threading.Event()

    def run() -> int:
        done.append("run")
        if len(done) > 4:
            stop.set()
        return 1

    monkeypatch.setattr(loop, "yield_to_other_writers", lambda: done.append("yield"))
    monkeypatch.setattr(loop, "connection", SimpleNamespace(close=lambda: None))
    loop._repeat(stop, PeriodicTask("task", run, 60.0, "* * * * *"), 60.0)
    assert done == ["yield", "run"] * 3


def test_a_periodic_task_with_a_delay_does_not_begin_before_it_has_passed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    done: list[str] = []
    stop = threading.Event()

    def wait(pause: float) -> None:
        done.append(f"wait {pause}")

    def run() -> int:
        done.append("run")
        stop.set()
        return 0

    monkeypatch.setattr(stop, "wait", wait)
    monkeypatch.setattr(loop, "connection", SimpleNamespace(close=lambda: None))
    loop._repeat(stop, PeriodicTask("task", run, 9.0, "* * * * *", delay_s=60.0), 9.0)
    assert done == ["wait 60.0", "run", "wait 9.0"]
