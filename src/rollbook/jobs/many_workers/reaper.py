"""Reclaim the jobs of workers whose heartbeat has stopped, and replace jobs that are missing.

This is no job of Procrastinate, because a job that died with its worker couldn't reclaim itself.
"""

import logging
import threading

from asgiref.sync import async_to_sync
from django.db import close_old_connections, connection, transaction
from procrastinate.jobs import Status

from rollbook.db.schema_version import DatabaseIsNewer, DatabaseIsOlder, SchemaCheck
from rollbook.jobs.backoff import backoff_seconds
from rollbook.jobs.many_workers import job_queue
from rollbook.updates import runner

REAP_INTERVAL_S = 5.0
HEARTBEAT_INTERVAL_S = 5.0
LEASE_S = 20.0  # after this time without a heartbeat, the jobs of a worker are reclaimed

_LOCK = 0x4B454550  # the key of an advisory lock

log = logging.getLogger(__name__)


class Reaper:
    """The reaper of one worker process; there is one in each.

    Attributes:
        mismatch: Set when the reaper has stopped the worker, because the database is no longer of
            this version.
    """

    mismatch: DatabaseIsNewer | DatabaseIsOlder | None = None

    def work(self, stop: threading.Event) -> None:
        """Reap every ``REAP_INTERVAL_S`` until ``stop`` is set."""
        schema, error_count, pause = SchemaCheck(), 0, 0.0
        while not stop.wait(pause):
            try:
                close_old_connections()  # those that are broken
                schema.require_current()
                reap_and_renudge()
                error_count, pause = 0, REAP_INTERVAL_S
            except (DatabaseIsNewer, DatabaseIsOlder) as mismatch:
                self.mismatch = mismatch
                stop.set()
            except Exception:
                error_count += 1
                pause = max(REAP_INTERVAL_S, backoff_seconds(error_count))
                log.warning(
                    "stalled jobs cannot be reclaimed; next try in %.0f s", pause, exc_info=True
                )
                connection.close()
        connection.close()


def reap_and_renudge() -> None:
    """Reclaim stalled jobs and add missing ones, unless another worker is doing so now."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOCK])
        if cursor.fetchone()[0]:
            _delete_stalled_jobs()
            _add_missing_jobs()


def _delete_stalled_jobs() -> None:
    """Delete the jobs of workers without a heartbeat.

    The worker may only be slow: what it still writes is fenced.
    """
    manager = job_queue.in_transaction
    for job in async_to_sync(manager.get_stalled_jobs)(seconds_since_heartbeat=LEASE_S):
        log.warning("job %s (%s) is reclaimed from a worker without heartbeat", job.id, job.lock)
        async_to_sync(manager.finish_job)(job, Status.FAILED, delete_job=True)


def _add_missing_jobs() -> None:
    """Add a job for each district that has work to do and no job."""
    busy_districts = runner.busy_districts()
    if busy_districts:
        locks = job_queue.locks_of([*job_queue.waiting_jobs(), *job_queue.running_jobs()])
        for district_id in busy_districts:
            if job_queue.lock_of(district_id) not in locks:
                job_queue.nudge(district_id)
