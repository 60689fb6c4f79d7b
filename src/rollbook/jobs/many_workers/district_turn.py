"""A district's turn: its updates, step by step, until none is due, a worker is told to stop, or others wait.

1. The update in work, or the one that has waited longest, is taken over and goes on, each step committed.
2. Turn over: the update is put down between two steps, and a job for the rest goes to the end of the queue.
3. A passing fault: the same, but the job waits a while, longer after each fault in a row.
4. Fenced: it was canceled, and the next one is due; or another worker has taken the update, and the district with it.
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

TURN_S = 10.0  # of a turn, as long as others wait
STOP_CHECK_INTERVAL_S = 0.1

log = logging.getLogger(__name__)


class DistrictTurn:
    """One job's work on one district. ``is_told`` says whether to stop; ``faults`` came in a row before this turn."""

    def __init__(self, district_id: int, is_told: Callable[[], bool], faults: int = 0) -> None:
        self._district_id = district_id
        self._is_told = is_told
        self._faults = faults
        self._until = time.monotonic() + TURN_S

    def take(self) -> None:
        """Raises what cannot even be written down now; the keeper then sees that the district is not forgotten."""
        while (update_id := runner.next_update(self._district_id)) is not None:
            try:
                finished = self._finish(update_id)
            except Fenced:
                if runner.has_ended(update_id):
                    continue
                return
            except Exception as fault:
                self._retry_later(update_id, fault)
                return
            if not finished:
                self._release(update_id)
                return

    def _finish(self, update_id: int) -> bool:
        """Take its steps; False if the turn was over before the last of them."""
        with closing(runner.run_steps(update_id)) as steps:
            for _ in track_step_time(steps):
                self._faults = 0
                if self._is_over():
                    return False
        return True

    def _is_over(self) -> bool:
        if self._is_told():
            return True
        if time.monotonic() < self._until:
            return False
        self._until = time.monotonic() + TURN_S
        return job_queue.other_districts_waiting(self._district_id)

    def _retry_later(self, update_id: int, fault: Exception) -> None:
        self._faults += 1
        pause = backoff_seconds(self._faults)
        if is_transient(fault) or _is_too_old():
            log.warning(
                "a step of the update with key %d must wait; next try in %.0f s",
                update_id,
                pause,
                exc_info=fault,
            )
            self._release(update_id, pause)
        else:
            log.error("a step of the update with key %d failed", update_id, exc_info=fault)
            job_queue.nudge(self._district_id, pause=pause, faults=self._faults)

    def _release(self, update_id: int, pause: float = 0.0) -> None:
        """Leave the rest to whoever comes next. Where not even that can be written down, wait until it can be."""
        tries = 0
        while True:
            try:
                with transaction.atomic():
                    runner.release(update_id)
                    job_queue.nudge(self._district_id, pause=pause, faults=self._faults)
            except Exception as fault:
                connection.close()
                if not is_transient(fault) or self._is_told():
                    raise
            else:
                return
            tries += 1
            self._wait(backoff_seconds(tries))

    def _wait(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until and not self._is_told():
            time.sleep(STOP_CHECK_INTERVAL_S)


def _is_too_old() -> bool:
    """Whether a newer version has changed the tables under our feet, which is no fault of the update's."""
    try:
        schema_version.require_not_newer()
    except schema_version.DatabaseIsNewer:
        return True
    return False


_begun: dict[int, float] = {}  # thread to when its step began, by the monotonic clock


def track_step_time(steps: Iterator[None]) -> Iterator[None]:
    """The same steps, with a note of when the one in hand began."""
    while True:
        _begun[threading.get_ident()] = time.monotonic()
        try:
            next(steps)
        except StopIteration:
            return
        finally:
            del _begun[threading.get_ident()]
        yield


def longest_step() -> float:
    """For how many seconds the oldest step of this process has been in hand."""
    now = time.monotonic()
    return now - min(list(_begun.values()), default=now)
