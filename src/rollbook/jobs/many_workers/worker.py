"""Many machines: any number of workers on one PostgreSQL, which tell each other through Procrastinate what is due."""

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from django.db import close_old_connections, connection, connections

from rollbook.db import connections as db_connections
from rollbook.db.transient_errors import is_transient
from rollbook.jobs.housekeeping import PERIODIC_TASKS
from rollbook.jobs.many_workers import district_turn, job_queue, reaper, spool_sweeper, tasks
from rollbook.jobs.many_workers.job_queue import CHORES, UPDATES
from rollbook.jobs.many_workers.queue_worker import QueueWorker
from rollbook.jobs.many_workers.reaper import Reaper
from rollbook.updates import runner
from rollbook.updates.engine import WorkerStatus
from rollbook.updates.models import UpdateJob
from rollbook.updates.state_machine import UNFINISHED

POLL_INTERVAL_S = 0.25  # seconds between two looks of somebody who waits for an update
MAX_STEP_S = 300.0  # seconds; a step that takes longer will never end
STOPPING_SECONDS = 9.0  # until a worker that was told to stop has gone; `serve` waits ten

log = logging.getLogger(__name__)

ThreadTarget = Callable[[threading.Event], None]


def notify_engine(update_id: int) -> None:
    """A live update needs work, an ended one letters; the job is there if the transaction comes to be."""
    district_id, state = UpdateJob.objects.values_list("district_id", "state").get(pk=update_id)
    if state in UNFINISHED:
        job_queue.nudge(district_id)
    else:
        job_queue.defer_mail()


def worker_status() -> WorkerStatus:
    """Whether any worker lives, by the database's clock, and the last sign of life of one.

    A worker that ends in good order takes its signs of life with it; what is left is when chores were last shared out.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(max(last_heartbeat) > now() - make_interval(secs => %s), false),"
            " coalesce(max(last_heartbeat), to_timestamp(("
            "SELECT max(defer_timestamp) FROM procrastinate_periodic_defers))) FROM procrastinate_workers",
            [reaper.LEASE_S],
        )
        alive, at = cursor.fetchone()
    return WorkerStatus(alive=alive, at=at)


def work(stop: threading.Event, concurrency: int = 1) -> None:
    """Do whatever is due until told to stop, so many updates of different districts at a time.

    Raises NewerDatabase when a newer version of Rollbook has changed the database meanwhile.
    """
    db_connections.configure_for_worker()
    chores = QueueWorker(tasks.housekeeping_app, CHORES, len(PERIODIC_TASKS), _chore)
    ours = Reaper()
    with _running_threads(
        stop, _queue_worker(concurrency).work, chores.work, ours.work, spool_sweeper.sweep_until
    ):
        log.info("worker ready")
        while not stop.wait(1.0):
            _end_if_hanging()
    if ours.newer:
        raise ours.newer


def work_on(update_id: int, watch: Callable[[], None]) -> None:
    """Bring this update to its end: by a worker in this process if there is no other, else by waiting for that one."""
    helping = False
    with ExitStack() as help_:
        while not runner.has_ended(update_id):
            if not helping and not worker_status().alive:
                helping = True
                db_connections.configure_for_worker()
                help_.enter_context(
                    _running_threads(threading.Event(), _queue_worker(1).work, Reaper().work)
                )
            watch()
            time.sleep(POLL_INTERVAL_S)


def _queue_worker(concurrency: int) -> QueueWorker:
    return QueueWorker(tasks.updates_app, UPDATES, concurrency, _update)


def _update(job: Callable[[], None]) -> None:
    """With the session of its thread, if that still lives."""
    close_old_connections()
    _now_or_later(job)


def _chore(job: Callable[[], None]) -> None:
    """With a session of its own."""
    try:
        _now_or_later(job)
    finally:
        connections.close_all()


def _now_or_later(job: Callable[[], None]) -> None:
    """What cannot be done now comes again: chores by the clock, updates by the keeper."""
    try:
        job()
    except Exception as fault:
        if not is_transient(fault):
            raise
        log.warning("a job must wait", exc_info=True)


@contextmanager
def _running_threads(stop: threading.Event, *duties: ThreadTarget) -> Iterator[None]:
    """Each duty in a thread of its own until the end, or until ``stop``."""
    threads = [threading.Thread(target=duty, args=(stop,), daemon=True) for duty in duties]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        _wait_for(threads)


def _wait_for(threads: list[threading.Thread]) -> None:
    latest = time.monotonic() + STOPPING_SECONDS
    for thread in threads:
        thread.join(max(0.0, latest - time.monotonic()))
    if any(thread.is_alive() for thread in threads):
        log.critical("a step did not end in time; this worker ends itself")
        os._exit(1)


def _end_if_hanging() -> None:
    """Nothing ends a thread that hangs but the end of its process; the update counts it as a death."""
    if district_turn.longest_step() > MAX_STEP_S:
        log.critical("a step has taken more than %.0f s; this worker ends itself", MAX_STEP_S)
        os._exit(1)
