"""Periodic tasks are started by jobs, of which one does the work of all that wait."""

import time

import pytest
from procrastinate import App, JobContext
from procrastinate.contrib.django.django_connector import DjangoConnector

from rollbook.districts.models import District
from rollbook.jobs.housekeeping import PeriodicTask
from rollbook.jobs.many_workers import job_queue, tasks
from tests.jobs.conftest import execute, waiting_districts

pytestmark = [pytest.mark.only_on("postgresql"), pytest.mark.usefixtures("no_jobs")]


def mail_jobs(status: str) -> int:
    return len(list(job_queue.in_transaction.list_jobs(task=job_queue.MAIL, status=status)))


def test_a_job_does_the_work_of_those_that_wait_but_not_of_later_ones(maple: District) -> None:
    app, seen = App(connector=DjangoConnector()), []

    def work() -> int:
        seen.append(mail_jobs("todo"))
        job_queue.defer_mail()
        return len(seen) % 2

    tasks.register(app, PeriodicTask(job_queue.MAIL, work, None, "0 0 1 1 *"))
    for _ in range(3):
        job_queue.defer_mail()
    execute(
        "UPDATE procrastinate_jobs SET status = 'doing'"
        " WHERE id = (SELECT min(id) FROM procrastinate_jobs)"
    )
    [job] = job_queue.in_transaction.list_jobs(status="doing")
    job_queue.nudge(maple.pk)
    context = JobContext(app=app, job=job, start_timestamp=time.time(), abort_reason=lambda: None)
    app.tasks[job_queue.MAIL](context)
    assert seen == [0, 1]
    assert (mail_jobs("doing"), mail_jobs("todo")) == (1, 2)
    assert waiting_districts() == [maple.pk]
