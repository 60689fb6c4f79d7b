"""The turn of a district: run the steps of its updates until none is due or the turn ends.

1. The update in progress, or the one that has waited longest, is taken over.
2. When the turn ends, the update is released between two steps, and a job for the rest of the work
   is added at the end of the queue.
3. After a transient error, the same happens, but the job is delayed: longer after each error in a
   row.
4. When a step is fenced, either the update was canceled and the next one is due, or another worker
   has taken over the district.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing

from django.db import connection, transaction

from rollbook.db import schema_version
from rollbook.db.transient_errors import is_transient
from rollbook.jobs.backoff import backoff_seconds
from rollbook.jobs.many_workers import job_queue
from rollbook.updates import runner
from rollbook.updates.transitions import Fenced

TURN_S = 10.0  # a turn ends after this time if other districts are waiting
STOP_CHECK_INTERVAL_S = 0.1

log = logging.getLogger(__name__)


class DistrictTurn:
    """Works on the updates of one district, for one job of the queue."""

    def __init__(
        self, district_id: int, should_stop: Callable[[], bool], error_count: int = 0
    ) -> None:
        """Start a turn.

        Args:
            district_id: The ID of the district.
            should_stop: Returns whether the worker is to stop.
            error_count: Errors in a row before this turn.
        """
        self._district_id = district_id
        self._should_stop = should_stop
        self._error_count = error_count
        self._ends_at = time.monotonic() + TURN_S

    def take(self) -> None:
        """Run steps until no update is due or the turn ends.

        An error that can't even be recorded in the queue is raised. The reaper then adds a job for
        the district.
        """
        while (update_id := runner.next_update(self._district_id)) is not None:
            try:
                is_finished = self._run_steps(update_id)
            except Fenced:
                if not runner.has_work(update_id):
                    continue
                return
            except Exception as error:
                self._retry_later(update_id, error)
                return
            if not is_finished:
                self._release(update_id)
                return

    def _run_steps(self, update_id: int) -> bool:
        """Run the steps of an update; return False if the turn ended before the last one."""
        with closing(runner.run_steps(update_id)) as steps:
            for _ in track_step_time(steps):
                self._error_count = 0
                if self._is_over():
                    return False
        return True

    def _is_over(self) -> bool:
        if self._should_stop():
            return True
        if time.monotonic() < self._ends_at:
            return False
        self._ends_at = time.monotonic() + TURN_S
        return job_queue.other_districts_waiting(self._district_id)

    def _retry_later(self, update_id: int, error: Exception) -> None:
        self._error_count += 1
        pause = backoff_seconds(self._error_count)
        if is_transient(error) or _is_database_newer():
            log.warning(
                "a step of the update with key %d must wait; next try in %.0f s",
                update_id,
                pause,
                exc_info=error,
            )
            self._release(update_id, pause)
        else:
            log.error("a step of the update with key %d failed", update_id, exc_info=error)
            job_queue.nudge(self._district_id, pause=pause, faults=self._error_count)

    def _release(self, update_id: int, pause: float = 0.0) -> None:
        """Release the update and add a job for the rest, as soon as the database accepts it."""
        attempts = 0
        while True:
            try:
                with transaction.atomic():
                    runner.release(update_id)
                    job_queue.nudge(self._district_id, pause=pause, faults=self._error_count)
            except Exception as error:
                connection.close()
                if not is_transient(error) or self._should_stop():
                    raise
            else:
                return
            attempts += 1
            self._wait(backoff_seconds(attempts))

    def _wait(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and not self._should_stop():
            time.sleep(STOP_CHECK_INTERVAL_S)


def _is_database_newer() -> bool:
    """Return whether a newer version has migrated the database, which may cause any error."""
    try:
        schema_version.require_not_newer()
    except schema_version.DatabaseIsNewer:
        return True
    return False


_step_started_at: dict[int, float] = {}
"""Thread ID to the start of the step that it is running, by the monotonic clock."""


def track_step_time(steps: Iterator[None]) -> Iterator[None]:
    """Yield after each of the steps, and record when the current one started."""
    while True:
        _step_started_at[threading.get_ident()] = time.monotonic()
        try:
            next(steps)
        except StopIteration:
            return
        finally:
            del _step_started_at[threading.get_ident()]
        yield


def longest_step() -> float:
    """Return for how many seconds the longest current step of this process has been running."""
    now = time.monotonic()
    return now - min(list(_step_started_at.values()), default=now)
