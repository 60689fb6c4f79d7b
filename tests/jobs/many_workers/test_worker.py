"""The status of workers, and which process does an update."""

import threading
import time
from datetime import UTC, datetime

import pytest
from django.db import connections

from rollbook.districts.models import District
from rollbook.jobs.many_workers import job_queue, reaper
from rollbook.jobs.many_workers import worker as many_workers_worker
from tests.jobs.conftest import execute, new_students
from tests.jobs.many_workers.test_reaper import a_worker
from tests.patience import TIMEOUT_S

pytestmark = [pytest.mark.only_on("postgresql"), pytest.mark.usefixtures("no_jobs")]


def test_before_the_first_worker_there_is_no_heartbeat() -> None:
    status = many_workers_worker.worker_status()
    assert (status.alive, status.at) == (False, None)


def test_one_worker_that_is_alive_is_enough() -> None:
    a_worker(seconds_ago=900)
    assert not many_workers_worker.worker_status().alive
    a_worker(seconds_ago=1)
    status = many_workers_worker.worker_status()
    assert status.alive
    assert status.at
    assert (datetime.now(UTC) - status.at).total_seconds() < 60


def test_a_worker_without_heartbeat_is_not_alive() -> None:
    a_worker(seconds_ago=reaper.LEASE_S + 1)
    status = many_workers_worker.worker_status()
    assert not status.alive
    assert status.at


def test_after_an_orderly_end_the_last_periodic_task_counts_as_heartbeat() -> None:
    execute(
        "INSERT INTO procrastinate_periodic_defers (task_name, defer_timestamp)"
        " VALUES ('mail', 1795492800)"
    )
    status = many_workers_worker.worker_status()
    assert (status.alive, status.at) == (False, datetime(2026, 11, 24, 4, 0, tzinfo=UTC))


def test_work_on_does_the_update_itself_if_there_is_no_worker(
    maple: District, cedar: District
) -> None:
    update, others = new_students(maple, 10), new_students(cedar, 10)
    calls = []
    many_workers_worker.work_on(update.pk, lambda: calls.append(True))
    update.refresh_from_db()
    others.refresh_from_db()
    assert (update.state, update.rows_added) == ("completed", 10)
    assert calls
    assert job_queue.running_jobs() == []
    assert not many_workers_worker.worker_status().alive


def test_work_on_leaves_the_update_to_a_worker_that_is_alive(maple: District) -> None:
    update = new_students(maple, 10)
    worker = a_worker(seconds_ago=0)
    calls = 0

    def watch() -> None:
        nonlocal calls
        calls += 1
        update.refresh_from_db()
        assert calls > 3 or update.state == "received"
        if calls == 3:
            execute("DELETE FROM procrastinate_workers WHERE id = %s", worker)

    many_workers_worker.work_on(update.pk, watch)
    update.refresh_from_db()
    assert update.state == "completed"
    assert calls > 3


def test_work_on_takes_over_an_update_from_a_worker_that_died(maple: District) -> None:
    update = new_students(maple, 10)
    worker = a_worker(seconds_ago=reaper.LEASE_S + 1)
    execute("UPDATE procrastinate_jobs SET status = 'doing', worker_id = %s", worker)
    many_workers_worker.work_on(update.pk, lambda: None)
    update.refresh_from_db()
    assert update.state == "completed"


def test_a_worker_works_until_it_has_to_stop_and_sends_emails(maple: District) -> None:
    update, stop = new_students(maple, 10), threading.Event()

    def work() -> None:
        many_workers_worker.work(stop, 2)
        connections.close_all()

    worker = threading.Thread(target=work)
    worker.start()
    try:
        deadline = time.monotonic() + TIMEOUT_S
        while update.mails_queued_at is None:
            assert time.monotonic() < deadline
            time.sleep(0.1)
            update.refresh_from_db()
        assert many_workers_worker.worker_status().alive
    finally:
        stop.set()
        worker.join()
    assert update.state == "completed"
    assert not many_workers_worker.worker_status().alive
