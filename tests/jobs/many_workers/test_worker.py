"""Whether a worker lives, and who sees an update through."""

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

pytestmark = [pytest.mark.only_on("postgresql"), pytest.mark.usefixtures("no_jobs")]


def test_before_the_first_worker_nobody_was_seen() -> None:
    seen = many_workers_worker.worker_status()
    assert (seen.alive, seen.at) == (False, None)


def test_one_worker_that_lives_is_enough() -> None:
    a_worker(seconds_ago=900)
    assert not many_workers_worker.worker_status().alive
    a_worker(seconds_ago=1)
    seen = many_workers_worker.worker_status()
    assert seen.alive
    assert seen.at
    assert (datetime.now(UTC) - seen.at).total_seconds() < 60


def test_a_worker_without_a_sign_of_life_is_not_taken_for_alive() -> None:
    a_worker(seconds_ago=reaper.LEASE_S + 1)
    seen = many_workers_worker.worker_status()
    assert not seen.alive
    assert seen.at


def test_workers_that_ended_in_good_order_were_seen_when_chores_were_last_shared_out() -> None:
    execute(
        "INSERT INTO procrastinate_periodic_defers (task_name, defer_timestamp) VALUES ('mail', 1795492800)"
    )
    seen = many_workers_worker.worker_status()
    assert (seen.alive, seen.at) == (False, datetime(2026, 11, 24, 4, 0, tzinfo=UTC))


def test_whoever_waits_for_an_update_does_the_work_if_no_worker_is_there(
    maple: District, cedar: District
) -> None:
    update, others = new_students(maple, 10), new_students(cedar, 10)
    looks = []
    many_workers_worker.work_on(update.pk, lambda: looks.append(True))
    update.refresh_from_db()
    others.refresh_from_db()
    assert (update.state, update.rows_added) == ("completed", 10)
    assert looks
    assert job_queue.in_work() == []
    assert not many_workers_worker.worker_status().alive


def test_and_leaves_it_to_a_worker_that_is(maple: District) -> None:
    update = new_students(maple, 10)
    worker = a_worker(seconds_ago=0)
    looks = 0

    def watch() -> None:
        nonlocal looks
        looks += 1
        update.refresh_from_db()
        assert looks > 3 or update.state == "received"
        if looks == 3:
            execute("DELETE FROM procrastinate_workers WHERE id = %s", worker)

    many_workers_worker.work_on(update.pk, watch)
    update.refresh_from_db()
    assert update.state == "completed"
    assert looks > 3


def test_a_worker_that_died_with_the_update_in_hand_holds_nobody_up(maple: District) -> None:
    update = new_students(maple, 10)
    worker = a_worker(seconds_ago=reaper.LEASE_S + 1)
    execute("UPDATE procrastinate_jobs SET status = 'doing', worker_id = %s", worker)
    many_workers_worker.work_on(update.pk, lambda: None)
    update.refresh_from_db()
    assert update.state == "completed"


def test_a_worker_works_until_it_is_told_to_stop_and_sends_the_mail(maple: District) -> None:
    update, stop = new_students(maple, 10), threading.Event()

    def work() -> None:
        many_workers_worker.work(stop, 2)
        connections.close_all()

    worker = threading.Thread(target=work)
    worker.start()
    try:
        deadline = time.monotonic() + 20
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
