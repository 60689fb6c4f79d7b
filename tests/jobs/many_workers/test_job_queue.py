"""A job exists if, and only if, the event that added it was committed."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.db import OperationalError, connection, transaction
from procrastinate import App, PsycopgConnector
from procrastinate.contrib.django import connector_params

from rollbook.districts.models import District
from rollbook.jobs.many_workers import job_queue, tasks
from rollbook.updates import cancel, runner
from rollbook.updates.state_machine import State
from tests.jobs.conftest import execute, new_students, waiting_districts

pytestmark = [pytest.mark.only_on("postgresql"), pytest.mark.usefixtures("no_jobs")]


@contextmanager
def rolled_back() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def mail_jobs() -> int:
    jobs = job_queue.in_transaction.list_jobs(
        queue=job_queue.CHORES, task=job_queue.MAIL, status="todo"
    )
    return len(list(jobs))


def test_an_update_adds_a_job(maple: District) -> None:
    new_students(maple, 3)
    assert waiting_districts() == [maple.pk]
    assert mail_jobs() == 0


def test_a_rollback_leaves_no_job(maple: District) -> None:
    with rolled_back():
        new_students(maple, 3)
        assert waiting_districts() == [maple.pk]
    assert waiting_districts() == []


def test_a_rollback_leaves_no_job_in_a_worker_either(maple: District) -> None:
    other: App
    with tasks.updates_app.replace_connector(PsycopgConnector(kwargs=connector_params())) as other:
        assert other is tasks.updates_app
        with rolled_back():
            job_queue.nudge(maple.pk)
    assert waiting_districts() == []


def test_each_event_has_a_job_of_its_own(maple: District, cedar: District) -> None:
    new_students(maple, 3)
    new_students(cedar, 4)
    new_students(maple, 5)
    assert waiting_districts() == [maple.pk, cedar.pk, maple.pk]


def test_an_update_that_has_ended_adds_a_job_for_emails(maple: District) -> None:
    update = new_students(maple, 3)
    cancel.cancel(maple)
    assert mail_jobs() == 1
    update.refresh_from_db()
    assert update.state == State.CANCELED
    for _ in runner.run_steps(new_students(maple, 4).pk):
        pass
    assert mail_jobs() == 2


def test_a_pause_is_measured_by_the_clock_of_the_database(maple: District) -> None:
    job_queue.nudge(maple.pk, pause=30, faults=2)
    job = job_queue.waiting_jobs()[0]
    assert job.scheduled_at
    assert (
        timedelta(seconds=25) < job.scheduled_at - job_queue.database_now() <= timedelta(seconds=30)
    )


def test_a_lost_connection_raises_the_exception_of_django(maple: District) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone()
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
    other.close()
    with pytest.raises(OperationalError):
        job_queue.nudge(maple.pk)
    connection.close()
    assert waiting_districts() == []


def test_others_are_waiting_if_a_job_of_another_district_is_due(
    maple: District, cedar: District
) -> None:
    assert not job_queue.other_districts_waiting(maple.pk)
    job_queue.nudge(maple.pk)
    assert not job_queue.other_districts_waiting(maple.pk)
    job_queue.nudge(cedar.pk, pause=60)
    assert not job_queue.other_districts_waiting(maple.pk)
    job_queue.nudge(cedar.pk)
    assert job_queue.other_districts_waiting(maple.pk)
    assert job_queue.other_districts_waiting(cedar.pk)


def test_a_job_of_a_district_with_a_running_job_is_not_waiting_for_a_worker(
    maple: District, cedar: District
) -> None:
    job_queue.nudge(cedar.pk)
    execute("UPDATE procrastinate_jobs SET status = 'doing'")
    job_queue.nudge(cedar.pk)
    assert not job_queue.other_districts_waiting(maple.pk)
