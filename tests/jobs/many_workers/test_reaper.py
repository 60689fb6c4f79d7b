"""The reaper: jobs of dead workers are reclaimed, and missing jobs are added."""

import threading

import pytest
from django.db import connection, transaction

from rollbook.db import schema_version
from rollbook.districts.models import District
from rollbook.jobs.many_workers import job_queue, reaper
from rollbook.jobs.many_workers.reaper import Reaper, reap_and_renudge
from rollbook.updates import cancel
from tests.jobs.conftest import delete_jobs, execute, new_students, waiting_districts

pytestmark = [pytest.mark.only_on("postgresql"), pytest.mark.usefixtures("no_jobs")]


def a_worker(seconds_ago: float) -> int:
    """Insert a worker whose last heartbeat was this long ago; return its ID."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO procrastinate_workers (last_heartbeat)"
            " SELECT now() - make_interval(secs => %s) RETURNING id",
            [seconds_ago],
        )
        return int(cursor.fetchone()[0])


def assign_jobs_to(worker: int | None) -> None:
    """Assign all jobs to this worker."""
    execute("UPDATE procrastinate_jobs SET status = 'doing', worker_id = %s", worker)


def test_the_job_of_a_worker_without_heartbeat_is_replaced(maple: District) -> None:
    new_students(maple, 3)
    assign_jobs_to(a_worker(reaper.LEASE_S + 1))
    reap_and_renudge()
    assert job_queue.running_jobs() == []
    assert waiting_districts() == [maple.pk]


def test_the_job_of_a_worker_that_does_not_exist_is_replaced(maple: District) -> None:
    new_students(maple, 3)
    assign_jobs_to(None)
    reap_and_renudge()
    assert (job_queue.running_jobs(), waiting_districts()) == ([], [maple.pk])


def test_a_worker_that_is_alive_keeps_its_job(maple: District) -> None:
    new_students(maple, 3)
    assign_jobs_to(a_worker(reaper.LEASE_S - 5))
    reap_and_renudge()
    assert [job.lock for job in job_queue.running_jobs()] == [job_queue.lock_of(maple.pk)]
    assert waiting_districts() == []


def test_a_stalled_job_without_work_is_only_removed(maple: District) -> None:
    new_students(maple, 3)
    assign_jobs_to(a_worker(reaper.LEASE_S + 1))
    cancel.cancel(maple)
    reap_and_renudge()
    assert (job_queue.running_jobs(), waiting_districts()) == ([], [])


def test_a_district_with_work_and_without_job_gets_one(maple: District, cedar: District) -> None:
    new_students(maple, 3)
    delete_jobs()
    new_students(cedar, 3)
    reap_and_renudge()
    reap_and_renudge()
    assert waiting_districts() == [cedar.pk, maple.pk]


def test_a_delayed_job_is_not_added_again(maple: District) -> None:
    new_students(maple, 3)
    delete_jobs()
    job_queue.nudge(maple.pk, pause=30)
    reap_and_renudge()
    assert len(job_queue.waiting_jobs()) == 1


def test_only_one_reaper_works_at_a_time(maple: District) -> None:
    new_students(maple, 3)
    delete_jobs()
    other = connection.copy()
    try:
        with transaction.atomic(using="default"), other.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [reaper._LOCK])
            reap_and_renudge()
            assert waiting_districts() == []
            cursor.execute("ROLLBACK")
    finally:
        other.close()
    reap_and_renudge()
    assert waiting_districts() == [maple.pk]


def test_the_reaper_continues_after_an_error(
    maple: District, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    new_students(maple, 3)
    delete_jobs()
    stop, calls = threading.Event(), []

    def fail_once() -> None:
        calls.append(True)
        if len(calls) == 1:
            raise RuntimeError("an error")
        reap_and_renudge()
        stop.set()

    monkeypatch.setattr(reaper, "reap_and_renudge", fail_once)
    monkeypatch.setattr(reaper, "REAP_INTERVAL_S", 0.01)
    monkeypatch.setattr(reaper, "backoff_seconds", lambda error_count: 0.01)
    Reaper().work(stop)
    assert waiting_districts() == [maple.pk]
    assert "stalled jobs cannot be reclaimed" in caplog.text


def test_a_database_of_a_newer_version_stops_the_worker() -> None:
    execute(
        "INSERT INTO django_migrations (app, name, applied) VALUES ('updates', '9999_newer', now())"
    )
    stop, own_reaper = threading.Event(), Reaper()
    try:
        own_reaper.work(stop)
    finally:
        execute("DELETE FROM django_migrations WHERE name = '9999_newer'")
    assert stop.is_set()
    assert isinstance(own_reaper.mismatch, schema_version.DatabaseIsNewer)
