"""The loop of a single worker: read from the database what is due, and do it step by step.

Districts take turns, one step of each update at a time. There is no queue that could lose work:
after a crash, the next worker finds the same work due.
"""

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

from django.db import DatabaseError, connection, transaction

from rollbook.db.schema_version import DatabaseIsNewer, DatabaseIsOlder, SchemaCheck
from rollbook.db.schema_watch import CHECK_INTERVAL_S
from rollbook.db.sqlite.turnstile import yield_to_other_writers
from rollbook.db.transient_errors import is_transient
from rollbook.jobs.backoff import backoff_seconds
from rollbook.jobs.housekeeping import PERIODIC_TASKS, PeriodicTask
from rollbook.jobs.progress import report_step
from rollbook.jobs.single_worker.heartbeat import WorkerLock, worker_status
from rollbook.jobs.single_worker.wake_up import Alarm, wake
from rollbook.updates import runner
from rollbook.updates.transitions import Fenced

__all__ = ["notify_engine", "work", "work_on", "worker_status"]

log = logging.getLogger(__name__)

CACHE_KIB = 16 << 10
"""SQLite's page cache in the worker; every chunk changes pages of the same indexes."""

POLL_INTERVAL_S = 0.25
"""How often the worker looks for work when none is due, even if nothing wakes it."""

LOOK_INTERVAL_S = 0.1
"""How often the worker looks for more work between two steps."""


def notify_engine(update_id: int) -> None:
    """Wake the worker when the transaction has been committed."""
    transaction.on_commit(wake)


def work(stop: threading.Event, concurrency: int = 1) -> None:
    """Do all work that is due until ``stop`` is set.

    A second worker is idle until the first one has ended.

    Args:
        stop: Ends the work between two steps.
        concurrency: Has no effect: all districts take turns, one step at a time.

    Raises:
        DatabaseIsNewer: A newer version of Rollbook has migrated the database.
        DatabaseIsOlder: The database is that of an older version again.
    """
    lock = WorkerLock()
    if not _wait_for_worker_lock(lock, stop):
        return
    ending = threading.Event()
    threads = list(_task_threads(ending))
    for thread in threads:
        thread.start()
    scheduler, alarm = Scheduler(), Alarm()
    alarm.open()
    try:
        while not stop.is_set():
            lock.beat()
            report_step()
            pause = scheduler.run_one_round()
            if pause > POLL_INTERVAL_S:  # after an error
                stop.wait(pause)
            elif pause:
                alarm.wait(pause)
    finally:
        ending.set()
        alarm.close()
        scheduler.release_all()
        for thread in threads:
            thread.join()
        lock.release()


def work_on(update_id: int, watch: Callable[[], None]) -> None:
    """Return when the update has ended; do the work here if no worker is active.

    Args:
        update_id: The ID of the update.
        watch: Is called after each step, or every ``POLL_INTERVAL_S`` while another worker does
            the work.
    """
    lock, scheduler = WorkerLock(), Scheduler()
    try:
        while runner.has_work(update_id):
            pause = scheduler.run_one_round() if lock.acquire() else POLL_INTERVAL_S
            watch()
            time.sleep(pause)
        _execute_pragma("wal_checkpoint")
    finally:
        scheduler.release_all()
        lock.release()


class Scheduler:
    """Runs the updates that are in progress, one step of each in turn."""

    def __init__(self) -> None:
        self._steps_by_update: dict[int, Iterator[None]] = {}
        self._error_count = 0
        self._schema = SchemaCheck()
        self._next_check = 0.0  # of the schema, by the monotonic clock
        self._next_look = 0.0  # for updates that are due
        self._is_log_copied = False  # whether no update has run since that was done

    def run_one_round(self) -> float:
        """Run one step of each update that is due; return the seconds to pause afterward.

        Raises:
            DatabaseIsNewer: A newer version of Rollbook has migrated the database.
            DatabaseIsOlder: The database is that of an older version again.
        """
        try:
            self._check_schema()
            self._look_for_updates()
        except (DatabaseIsNewer, DatabaseIsOlder):
            raise
        except Exception:
            return self._pause_after_error("the updates that are due cannot be loaded")
        pauses = [self._run_step(update_id) for update_id in list(self._steps_by_update)]
        return max(pauses, default=POLL_INTERVAL_S)

    def _check_schema(self) -> None:
        """Compare the schema with this version every ``CHECK_INTERVAL_S``."""
        if time.monotonic() >= self._next_check:
            self._schema.require_current()
            self._next_check = time.monotonic() + CHECK_INTERVAL_S

    def _look_for_updates(self) -> None:
        """Begin the updates that are due; while some are in progress, every ``LOOK_INTERVAL_S``.

        After the last one, the write-ahead log is copied to the database; no update waits for that.
        """
        if self._steps_by_update and time.monotonic() < self._next_look:
            return
        _execute_pragma(f"cache_size = -{CACHE_KIB}")  # the connection may be a new one
        for update_id in runner.next_updates():
            self._steps_by_update.setdefault(update_id, runner.run_steps(update_id))
        if not (self._steps_by_update or self._is_log_copied):
            _execute_pragma("wal_checkpoint")
            self._is_log_copied = True
        self._next_look = time.monotonic() + LOOK_INTERVAL_S

    def release_all(self) -> None:
        """Release all updates between two of their steps."""
        for update_id in self._steps_by_update:
            runner.release(update_id)

    def _run_step(self, update_id: int) -> float:
        """Run one step; return the seconds to pause afterward."""
        report_step()
        yield_to_other_writers()
        try:
            next(self._steps_by_update[update_id])
        except (StopIteration, Fenced):
            self._remove(update_id)
        except Exception as error:
            self._remove(update_id)
            if is_transient(error) or self._is_of_another_version():
                message = f"a step of the update with key {update_id} must wait"
                return self._pause_after_error(message, update_id)
            log.exception("a step of the update with key %d failed", update_id)
        self._error_count = 0
        return 0.0

    def _remove(self, update_id: int) -> None:
        """Forget an update; another one of its district may be due."""
        del self._steps_by_update[update_id]
        self._next_look, self._is_log_copied = 0.0, False

    def _is_of_another_version(self) -> bool:
        """Return whether the schema has changed, which may cause any error."""
        self._next_check = 0.0
        try:
            self._schema.require_current()
        except (DatabaseIsNewer, DatabaseIsOlder):
            return True
        except DatabaseError:
            return False
        return False

    def _pause_after_error(self, message: str, update_id: int | None = None) -> float:
        self._error_count += 1
        pause = backoff_seconds(self._error_count)
        log.warning("%s; next try in %.0f s", message, pause, exc_info=True)
        connection.close()
        if update_id is not None:
            # Without the release, this counts as an attempt without progress until the next step
            # commits.
            with suppress(DatabaseError):
                runner.release(update_id)
        return pause


def _execute_pragma(pragma: str) -> None:
    """Execute a PRAGMA of SQLite, outside of transactions."""
    if connection.vendor == "sqlite" and not connection.in_atomic_block:
        with connection.cursor() as cursor:
            cursor.execute(f"PRAGMA {pragma}")


def _wait_for_worker_lock(lock: WorkerLock, stop: threading.Event) -> bool:
    """Wait for the worker's lock; return False if ``stop`` was set before it was free."""
    if not lock.acquire():
        log.warning("another worker uses this data folder; this one stays idle until it has ended")
        while not lock.acquire():
            report_step()
            if stop.wait(POLL_INTERVAL_S):
                return False
    log.info("worker ready")
    return True


def _task_threads(stop: threading.Event) -> Iterator[threading.Thread]:
    """Yield a thread for each periodic task of a single worker."""
    for task in PERIODIC_TASKS:
        if task.interval_s is not None:
            yield threading.Thread(target=_repeat, args=(stop, task, task.interval_s))


def _repeat(stop: threading.Event, task: PeriodicTask, interval_s: float) -> None:
    """Run the task repeatedly, with a pause whenever it finds no work, until ``stop`` is set."""
    if task.niceness:
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), task.niceness)
    error_count = 0
    stop.wait(task.delay_s)
    while not stop.is_set():
        pause = interval_s
        try:
            yield_to_other_writers()
            item_count = task.run()
            error_count = 0
        except Exception:
            item_count = 0
            error_count += 1
            pause = max(interval_s, backoff_seconds(error_count))
            log.exception("%s failed", task.name)
            connection.close()
        if not item_count:
            stop.wait(pause)
    connection.close()
