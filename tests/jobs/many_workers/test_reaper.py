"""What one worker does for all: jobs of the dead are taken up, and nothing that is due is forgotten."""

import threading

import pytest
from django.db import connection, transaction

from rollbook.db import schema_version
from rollbook.districts.models import District
from rollbook.jobs.many_workers import job_queue, reaper
from rollbook.jobs.many_workers.reaper import Reaper, reap_and_renudge
from rollbook.updates import cancel
from tests.jobs.conftest import execute, forget_jobs, new_students, waiting_districts

pytestmark = [pytest.mark.only_on("postgresql"), pytest.mark.usefixtures("no_jobs")]


def a_worker(seconds_ago: float) -> int:
    """One that gave its last sign of life so long ago."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO procrastinate_workers (last_heartbeat) SELECT now() - make_interval(secs => %s) RETURNING id",
            [seconds_ago],
        )
        return int(cursor.fetchone()[0])


def taken_by(worker: int | None) -> None:
    """Every job is in the hands of this worker."""
    execute("UPDATE procrastinate_jobs SET status = 'doing', worker_id = %s", worker)


def test_the_job_of_a_worker_that_gives_no_sign_of_life_is_replaced(maple: District) -> None:
    new_students(maple, 3)
    taken_by(a_worker(reaper.LEASE_S + 1))
    reap_and_renudge()
    assert job_queue.in_work() == []
    assert waiting_districts() == [maple.pk]


def test_so_is_that_of_a_worker_nobody_knows_any_more(maple: District) -> None:
    new_students(maple, 3)
    taken_by(None)
    reap_and_renudge()
    assert (job_queue.in_work(), waiting_districts()) == ([], [maple.pk])


def test_a_worker_that_lives_keeps_its_job(maple: District) -> None:
    new_students(maple, 3)
    taken_by(a_worker(reaper.LEASE_S - 5))
    reap_and_renudge()
    assert [job.lock for job in job_queue.in_work()] == [job_queue.lock_of(maple.pk)]
    assert waiting_districts() == []


def test_a_dead_job_with_nothing_left_to_do_is_only_removed(maple: District) -> None:
    new_students(maple, 3)
    taken_by(a_worker(reaper.LEASE_S + 1))
    cancel.cancel(maple)
    reap_and_renudge()
    assert (job_queue.in_work(), waiting_districts()) == ([], [])


def test_what_is_due_and_has_no_job_gets_one(maple: District, cedar: District) -> None:
    new_students(maple, 3)
    forget_jobs()
    new_students(cedar, 3)
    reap_and_renudge()
    reap_and_renudge()
    assert waiting_districts() == [cedar.pk, maple.pk]


def test_a_job_that_waits_for_its_time_is_not_forgotten(maple: District) -> None:
    new_students(maple, 3)
    forget_jobs()
    job_queue.nudge(maple.pk, pause=30)
    reap_and_renudge()
    assert len(job_queue.waiting()) == 1


def test_of_several_keepers_one_looks(maple: District) -> None:
    new_students(maple, 3)
    forget_jobs()
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


def test_it_goes_on_after_a_fault(
    maple: District, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    new_students(maple, 3)
    forget_jobs()
    stop, looks = threading.Event(), []

    def look() -> None:
        looks.append(True)
        if len(looks) == 1:
            raise RuntimeError("a fault")
        reap_and_renudge()
        stop.set()

    monkeypatch.setattr(reaper, "reap_and_renudge", look)
    monkeypatch.setattr(reaper, "REAP_INTERVAL_S", 0.01)
    monkeypatch.setattr(reaper, "backoff_seconds", lambda faults: 0.01)
    Reaper().work(stop)
    assert waiting_districts() == [maple.pk]
    assert "stalled jobs cannot be reclaimed" in caplog.text


def test_a_newer_version_tells_its_worker_to_stop() -> None:
    execute(
        "INSERT INTO django_migrations (app, name, applied) VALUES ('updates', '9999_newer', now())"
    )
    stop, ours = threading.Event(), Reaper()
    try:
        ours.work(stop)
    finally:
        execute("DELETE FROM django_migrations WHERE name = '9999_newer'")
    assert stop.is_set()
    assert isinstance(ours.newer, schema_version.DatabaseIsNewer)
