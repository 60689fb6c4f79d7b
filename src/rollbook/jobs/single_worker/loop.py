"""One machine: a single process asks the tables what is due and does it, the districts taking turns.

Nothing is leased and nothing can be lost: after a kill the next start finds the same work due.
"""

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

from django.db import DatabaseError, connection

from rollbook.db.sqlite.turnstile import yield_to_other_writers
from rollbook.db.transient_errors import is_transient
from rollbook.jobs.backoff import backoff_seconds
from rollbook.jobs.housekeeping import PERIODIC_TASKS, PeriodicTask
from rollbook.jobs.single_worker.heartbeat import WorkerLock, worker_status
from rollbook.updates import runner
from rollbook.updates.transitions import Fenced

__all__ = ["notify_engine", "work", "work_on", "worker_status"]

log = logging.getLogger(__name__)

CACHE_KIB = (
    16 << 10
)  # KiB of the database that the worker keeps in memory: pages of indexes that every chunk changes
POLL_INTERVAL_S = 0.25  # seconds between two looks at the tables when nothing is due


def notify_engine(update_id: int) -> None:
    """There is nobody to tell: the loop looks for itself."""


def work(stop: threading.Event, concurrency: int = 1) -> None:
    """Do whatever is due until told to stop. A second worker stays idle until the first one has gone.

    However many are asked for, the updates of all districts are in work, and one step is taken at a time.
    """
    presence = WorkerLock()
    if not _wait_for_worker_lock(presence, stop):
        return
    threads = list(_task_threads(stop))
    for thread in threads:
        thread.start()
    desk = Scheduler()
    while not stop.is_set():
        presence.beat()
        pause = desk.run_one_round()
        if pause:
            stop.wait(pause)
    desk.release_all()
    for thread in threads:
        thread.join()


def work_on(update_id: int, watch: Callable[[], None]) -> None:
    """Bring this update to its end: here if no worker is there to do it, else by waiting; ``watch`` is called often."""
    presence, desk = WorkerLock(), Scheduler()
    try:
        while not runner.has_ended(update_id):
            pause = desk.run_one_round() if presence.acquire() else POLL_INTERVAL_S
            watch()
            time.sleep(pause)
    finally:
        desk.release_all()
        presence.release()


class Scheduler:
    """The updates in work, each between two of its steps."""

    def __init__(self) -> None:
        self._in_work: dict[int, Iterator[None]] = {}
        self._faults = 0

    def run_one_round(self) -> float:
        """One step of each update that is due; returns for how many seconds there is nothing to do."""
        try:
            _set_cache_size()
            for update_id in runner.next_updates():
                self._in_work.setdefault(update_id, runner.run_steps(update_id))
        except Exception:
            return self._pause_after_fault("the database cannot be asked what is due")
        pauses = [self._step(update_id) for update_id in list(self._in_work)]
        return max(pauses, default=POLL_INTERVAL_S)

    def release_all(self) -> None:
        """Stop between two steps, in good order."""
        for update_id in self._in_work:
            runner.release(update_id)

    def _step(self, update_id: int) -> float:
        """Take one step; returns for how long to pause after it."""
        yield_to_other_writers()
        try:
            next(self._in_work[update_id])
        except (StopIteration, Fenced):
            del self._in_work[update_id]
        except Exception as fault:
            del self._in_work[update_id]
            if is_transient(fault):
                return self._pause_after_fault(
                    f"a step of the update with key {update_id} must wait", update_id
                )
            log.exception("a step of the update with key %d failed", update_id)
        self._faults = 0
        return 0.0

    def _pause_after_fault(self, what: str, update_id: int | None = None) -> float:
        self._faults += 1
        pause = backoff_seconds(self._faults)
        log.warning("%s; next try in %.0f s", what, pause, exc_info=True)
        connection.close()
        if update_id is not None:
            with suppress(
                DatabaseError
            ):  # then it counts as a death, which the next step that commits forgets
                runner.release(update_id)
        return pause


def _set_cache_size() -> None:
    """For this connection, which may be a new one."""
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute(f"PRAGMA cache_size = -{CACHE_KIB}")


def _wait_for_worker_lock(presence: WorkerLock, stop: threading.Event) -> bool:
    """Wait for the worker's place; False if told to stop before it was free."""
    if not presence.acquire():
        log.warning(
            "another worker is at work on this data folder; this one stays idle until it has gone"
        )
        while not presence.acquire():
            if stop.wait(POLL_INTERVAL_S):
                return False
    log.info("worker ready")
    return True


def _task_threads(stop: threading.Event) -> Iterator[threading.Thread]:
    """One thread for each periodic task of a single worker."""
    for task in PERIODIC_TASKS:
        if task.interval_s is not None:
            yield threading.Thread(target=_repeat, args=(stop, task, task.interval_s))


def _repeat(stop: threading.Event, task: PeriodicTask, interval_s: float) -> None:
    """A thread of its own: do the task again at once while it finds something, else after a pause."""
    if task.niceness:
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), task.niceness)
    faults = 0
    while not stop.is_set():
        try:
            found, faults = task.run(), 0
        except Exception:
            found, faults = 0, faults + 1
            log.exception("%s failed", task.name)
            connection.close()
        if not found:
            stop.wait(max(interval_s, backoff_seconds(faults)) if faults else interval_s)
    connection.close()
