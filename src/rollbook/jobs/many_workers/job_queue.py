"""Notes to Procrastinate that something is due: a job says of which district, and nothing else.

What is left to do stands in the update's own row. So a job may come twice or to no purpose, and one that is lost is
replaced (``keeper.py``). Each event has a job of its own, in its own transaction: one that found another job waiting,
and left it at that, could have its work overlooked, for that job may be taken before the event is committed.
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

UPDATES, CHORES = "updates", "chores"  # queues
WORK, MAIL = "work", housekeeping.MAIL  # tasks
HOURS_KEPT = 24  # of jobs that failed; all others go when they are done

# Jobs are written over Django's connection, so inside the transaction that is open. The apps of the worker have
# connections of their own: a task that is deferred through them is there whatever becomes of the transaction.
in_transaction = JobManager(DjangoConnector())


def nudge(district_id: int, *, pause: float = 0.0, faults: int = 0) -> None:
    """There is something to do in this district, ``pause`` seconds from now; after so many faults in a row."""
    _defer(
        WORK,
        UPDATES,
        lock_of(district_id),
        _in(pause) if pause else None,
        district=district_id,
        faults=faults,
    )


def defer_mail() -> None:
    """There are letters to write."""
    _defer(MAIL, CHORES, MAIL)


def delete_old() -> None:
    """Delete the jobs that failed long ago."""
    async_to_sync(in_transaction.delete_old_jobs)(
        nb_hours=HOURS_KEPT, include_failed=True, include_cancelled=True, include_aborted=True
    )


def lock_of(district_id: int) -> str:
    """Of the jobs with the same lock one runs at a time, wherever the workers are."""
    return f"district-{district_id}"


def locks(jobs: Iterable[Job]) -> set[str]:
    """The locks that these jobs hold or wait for."""
    return {job.lock for job in jobs if job.lock}


def waiting() -> list[Job]:
    """The jobs about updates that nobody has taken yet."""
    return list(in_transaction.list_jobs(queue=UPDATES, status="todo"))


def in_work() -> list[Job]:
    """The jobs about updates that a worker has taken."""
    return list(in_transaction.list_jobs(queue=UPDATES, status="doing"))


def other_districts_waiting(district_id: int) -> bool:
    """Whether another district has something to do and nobody to do it."""
    now = database_now()
    ready = [job for job in waiting() if job.scheduled_at is None or job.scheduled_at <= now]
    return bool(locks(ready) - locks(in_work()) - {lock_of(district_id)})


def database_now() -> datetime:
    """The time as the database has it: the workers' clocks may differ."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT now()")
        now: datetime = cursor.fetchone()[0]
    return now


def _in(seconds: float) -> datetime:
    return database_now() + timedelta(seconds=seconds)


def _defer(task: str, queue: str, lock: str, at: datetime | None = None, **about: int) -> None:
    deferrer = configure_task(
        name=task, job_manager=in_transaction, queue=queue, lock=lock, schedule_at=at
    )
    try:
        deferrer.defer(**about)
    except (
        ConnectorException
    ) as fault:  # Procrastinate has taken the database's own error out of Django's
        with connection.wrap_database_errors:
            raise fault.__cause__ or fault from None
