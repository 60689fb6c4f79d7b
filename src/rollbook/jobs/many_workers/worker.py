"""One of many workers on PostgreSQL, which get their work through Procrastinate's queue."""

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from django.db import close_old_connections, connection, connections

from rollbook.db import connections as db_connections
from rollbook.db.transient_errors import is_transient
from rollbook.jobs import progress
from rollbook.jobs.housekeeping import PERIODIC_TASKS
from rollbook.jobs.many_workers import district_turn, job_queue, reaper, spool_sweeper, tasks
from rollbook.jobs.many_workers.job_queue import CHORES, UPDATES
from rollbook.jobs.many_workers.queue_worker import QueueWorker
from rollbook.jobs.many_workers.reaper import Reaper
from rollbook.operations.alerts import watch
from rollbook.updates import runner
from rollbook.updates.engine import WorkerStatus

POLL_INTERVAL_S = 0.25  # how often ``work_on`` checks whether the update has ended
STOP_TIMEOUT_S = 9.0  # until a worker has to have stopped; `serve` waits 10 s

log = logging.getLogger(__name__)

ThreadTarget = Callable[[threading.Event], None]


def notify_engine(update_id: int) -> None:
    """Add a job for an update with work to do, or for the emails of another one."""
    district_id = runner.district_with_work(update_id)
    if district_id is None:
        job_queue.defer_mail()
    else:
        job_queue.nudge(district_id)


_WORKER_STATUS = """
SELECT
  coalesce(max(last_heartbeat) > now() - make_interval(secs => %s), false),
  coalesce(
    max(last_heartbeat),
    to_timestamp((SELECT max(defer_timestamp) FROM procrastinate_periodic_defers))
  )
FROM procrastinate_workers"""


def worker_status() -> WorkerStatus:
    """Return whether any worker is alive, by the database's clock, and the last heartbeat.

    A worker that stops in an orderly way deletes its heartbeats. If there are none, the time when a
    periodic task was last started takes their place.
    """
    with connection.cursor() as cursor:
        cursor.execute(_WORKER_STATUS, [reaper.LEASE_S])
        alive, at = cursor.fetchone()
    return WorkerStatus(alive=alive, at=at)


def work(stop: threading.Event, concurrency: int = 1) -> None:
    """Do all work that is due until ``stop`` is set.

    Args:
        stop: Ends the work between two steps.
        concurrency: The number of districts to work on at a time.

    Raises:
        DatabaseIsNewer: A newer version of Rollbook has migrated the database.
        DatabaseIsOlder: The database is that of an older version again.
    """
    db_connections.configure_for_worker()
    updates = _updates_worker(concurrency)
    periodic_tasks = QueueWorker(
        tasks.housekeeping_app, CHORES, len(PERIODIC_TASKS), _run_periodic_job
    )
    own_reaper = Reaper()
    # The periodic task checks alerts on one machine; the thread also checks this machine's disk.
    of_this_machine = (own_reaper.work, spool_sweeper.sweep_until, watch.watch_until)
    targets = (updates.work, periodic_tasks.work, *of_this_machine)
    ending = threading.Event()
    with _running_threads(ending, *targets):
        log.info("worker ready")
        while not ending.is_set() and not stop.wait(POLL_INTERVAL_S):
            _exit_if_step_hangs()
            progress.report_step()
    if own_reaper.mismatch:
        raise own_reaper.mismatch


def work_on(update_id: int, watch: Callable[[], None]) -> None:
    """Return when the update has ended; start a worker in this process if there is no other.

    Args:
        update_id: The ID of the update.
        watch: Is called every ``POLL_INTERVAL_S``.

    Raises:
        DatabaseIsNewer: A newer version of Rollbook has migrated the database.
        DatabaseIsOlder: The database is that of an older version again.
    """
    is_working, own_reaper = False, Reaper()
    with ExitStack() as exit_stack:
        while runner.has_work(update_id):
            if not is_working and not worker_status().alive:
                is_working = True
                db_connections.configure_for_worker()
                targets = (_updates_worker(1).work, own_reaper.work)
                exit_stack.enter_context(_running_threads(threading.Event(), *targets))
            watch()
            if own_reaper.mismatch:
                raise own_reaper.mismatch
            time.sleep(POLL_INTERVAL_S)


def _updates_worker(concurrency: int) -> QueueWorker:
    return QueueWorker(tasks.updates_app, UPDATES, concurrency, _run_update_job, listens=True)


def _run_update_job(job: Callable[[], None]) -> None:
    """Run a job with the connection of its thread, unless that is broken."""
    close_old_connections()
    _run_or_leave(job)


def _run_periodic_job(job: Callable[[], None]) -> None:
    """Run a job with a connection of its own."""
    try:
        _run_or_leave(job)
    finally:
        connections.close_all()


def _run_or_leave(job: Callable[[], None]) -> None:
    """Run a job; after a transient error, leave its work to a later job.

    Periodic tasks are started again by the clock, and updates by the reaper.
    """
    try:
        job()
    except Exception as error:
        if not is_transient(error):
            raise
        log.warning("a job must wait", exc_info=True)


@contextmanager
def _running_threads(stop: threading.Event, *targets: ThreadTarget) -> Iterator[None]:
    """Run each target in a thread until ``stop`` is set or the block ends."""
    threads = [threading.Thread(target=target, args=(stop,), daemon=True) for target in targets]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        _join(threads)


def _join(threads: list[threading.Thread]) -> None:
    deadline = time.monotonic() + STOP_TIMEOUT_S
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    if any(thread.is_alive() for thread in threads):
        log.critical("a step did not end in time; this worker exits")
        os._exit(1)


def _exit_if_step_hangs() -> None:
    """Exit the process if a step hangs, because a thread can't be ended otherwise.

    The update counts this as an attempt without progress.
    """
    if district_turn.longest_step() > progress.MAX_STEP_S:
        log.critical("a step has taken more than %.0f s; this worker exits", progress.MAX_STEP_S)
        os._exit(1)
