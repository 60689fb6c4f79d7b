"""Every worker looks after all of them: takes up what a dead one held, and lets nothing that is due be forgotten.

It is no job of Procrastinate's: one that died with its worker could not take itself up again.
"""

import logging
import threading

from asgiref.sync import async_to_sync
from django.db import close_old_connections, connection, transaction
from procrastinate.jobs import Status

from rollbook.db import schema_version
from rollbook.db.schema_version import DatabaseIsNewer
from rollbook.jobs.backoff import backoff_seconds
from rollbook.jobs.many_workers import job_queue
from rollbook.updates import runner

REAP_INTERVAL_S = 5.0  # seconds between two looks
HEARTBEAT_INTERVAL_S = 5.0  # seconds between two signs of life of a worker
LEASE_S = 20.0  # seconds without one, and its jobs are taken up again

_LOCK = 0x4B454550

log = logging.getLogger(__name__)


class Reaper:
    """The one of this worker. ``newer`` is set when it has told the worker to stop: its version is too old."""

    newer: DatabaseIsNewer | None = None

    def work(self, stop: threading.Event) -> None:
        """Look after everything until told to stop."""
        faults, pause = 0, 0.0
        while not stop.wait(pause):
            try:
                close_old_connections()  # those that have died
                schema_version.require_not_newer()
                reap_and_renudge()
                faults, pause = 0, REAP_INTERVAL_S
            except DatabaseIsNewer as newer:
                self.newer = newer
                stop.set()
            except Exception:
                faults += 1
                pause = max(REAP_INTERVAL_S, backoff_seconds(faults))
                log.warning(
                    "the jobs cannot be looked after; next try in %.0f s", pause, exc_info=True
                )
                connection.close()
        connection.close()


def reap_and_renudge() -> None:
    """Whoever comes first does it for all."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOCK])
        if cursor.fetchone()[0]:
            _drop_stalled()
            _nudge_the_forgotten()


def _drop_stalled() -> None:
    """Jobs of workers that have died. The worker itself may only be slow: what it still writes is fenced out."""
    manager = job_queue.in_transaction
    for job in async_to_sync(manager.get_stalled_jobs)(seconds_since_heartbeat=LEASE_S):
        log.warning(
            "job %s (%s) is taken from a worker that gives no sign of life", job.id, job.lock
        )
        async_to_sync(manager.finish_job)(job, Status.FAILED, delete_job=True)


def _nudge_the_forgotten() -> None:
    busy = runner.busy_districts()
    if busy:
        seen_to = job_queue.locks([*job_queue.waiting(), *job_queue.in_work()])
        for district_id in busy:
            if job_queue.lock_of(district_id) not in seen_to:
                job_queue.nudge(district_id)
