"""Jobs of Procrastinate that say which district has work to do, and nothing else.

The remaining work is stored in the updates themselves. So a job may run twice or find no work, and
one that is lost is replaced (``reaper.py``). Each event adds a job of its own, in its transaction.
If it relied on a job that is already waiting, that job could run before the event is committed,
and miss its work.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from asgiref.sync import async_to_sync
from django.db import connection
from procrastinate.contrib.django.django_connector import DjangoConnector
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import Job
from procrastinate.manager import JobManager
from procrastinate.tasks import configure_task

from rollbook.jobs import housekeeping

UPDATES, CHORES = "updates", "chores"  # names of queues
WORK, MAIL = "work", housekeeping.MAIL  # names of tasks
FAILED_JOB_RETENTION_HOURS = 24  # other jobs are deleted when they are done

# This manager uses Django's connection: jobs are added in the open transaction. The worker's apps
# have connections of their own: a task that is deferred through them doesn't depend on it.
in_transaction = JobManager(DjangoConnector())


def nudge(district_id: int, *, pause: float = 0.0, faults: int = 0) -> None:
    """Add a job for a district that has work to do.

    Args:
        district_id: The ID of the district.
        pause: Seconds until the job is due.
        faults: Errors in a row before this job.
    """
    due_at = database_now() + timedelta(seconds=pause) if pause else None
    _defer(WORK, UPDATES, lock_of(district_id), due_at, district=district_id, faults=faults)


def defer_mail() -> None:
    """Add a job for emails that are to be queued."""
    _defer(MAIL, CHORES, MAIL)


def drop_waiting(task: str) -> None:
    """Delete the waiting jobs of a periodic task, by the one that is about to do their work."""
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM procrastinate_jobs"
            " WHERE queue_name = %s AND task_name = %s AND status = 'todo'",
            [CHORES, task],
        )


def delete_old_jobs() -> None:
    """Delete jobs that failed more than ``FAILED_JOB_RETENTION_HOURS`` ago."""
    async_to_sync(in_transaction.delete_old_jobs)(
        nb_hours=FAILED_JOB_RETENTION_HOURS,
        include_failed=True,
        include_cancelled=True,
        include_aborted=True,
    )


def lock_of(district_id: int) -> str:
    """Return the lock of a district's jobs: only one of them runs at a time, on all machines."""
    return f"district-{district_id}"


def locks_of(jobs: Iterable[Job]) -> set[str]:
    """Return the locks that these jobs hold or wait for."""
    return {job.lock for job in jobs if job.lock}


def waiting_jobs() -> list[Job]:
    """Return the jobs of districts that no worker has taken yet."""
    return list(in_transaction.list_jobs(queue=UPDATES, status="todo"))


def running_jobs() -> list[Job]:
    """Return the jobs of districts that a worker has taken."""
    return list(in_transaction.list_jobs(queue=UPDATES, status="doing"))


def other_districts_waiting(district_id: int) -> bool:
    """Return whether a job of another district is due and no worker works on that district."""
    now = database_now()
    ready = [job for job in waiting_jobs() if job.scheduled_at is None or job.scheduled_at <= now]
    return bool(locks_of(ready) - locks_of(running_jobs()) - {lock_of(district_id)})


def database_now() -> datetime:
    """Return the time of the database, as the workers' clocks may differ."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT now()")
        now: datetime = cursor.fetchone()[0]
    return now


def _defer(
    task: str, queue: str, lock: str, due_at: datetime | None = None, **arguments: int
) -> None:
    deferrer = configure_task(
        name=task, job_manager=in_transaction, queue=queue, lock=lock, schedule_at=due_at
    )
    try:
        deferrer.defer(**arguments)
    except ConnectorException as error:
        # Procrastinate has replaced Django's exception; raise that of Django again.
        with connection.wrap_database_errors:
            raise error.__cause__ or error from None
