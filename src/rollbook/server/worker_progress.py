"""What the supervisor knows of a worker's progress; ``jobs/progress.py`` is the other end."""

import os
import time
from collections.abc import Mapping
from contextlib import suppress

from rollbook import environment
from rollbook.jobs.progress import ALIVE, MAX_STEP_S, STEP

MAX_SILENCE_S = 60.0
"""A worker sends a signal every second. A disk that takes 200 ms for each fsync, or a machine that
swaps, delays it by seconds, never by a minute."""

LIMITS_S = {ALIVE: MAX_SILENCE_S, STEP: MAX_STEP_S}
"""For how long a worker may be without each signal."""

START_S = 30.0
"""How much longer the first signal may take, after the start of the process."""

MAX_CHECK_S = 1.0
"""The most that passes for the worker between two checks, so that it isn't killed after the whole
machine, or this process, was suspended."""

READ_BYTES = 65_536


class WorkerProgress:
    """The pipe from the worker, and for how long each of its signals is missing.

    Attributes:
        write_end: The file descriptor that each worker inherits.
    """

    def __init__(self, limits: Mapping[bytes, float] = LIMITS_S) -> None:
        self._limits = limits
        self._read_end, self.write_end = os.pipe()
        os.set_blocking(self._read_end, False)
        os.set_blocking(self.write_end, False)
        self.restart()

    def restart(self) -> None:
        """Forget the signals of the previous worker."""
        self._read()
        self._silence = dict.fromkeys(self._limits, -START_S)
        self._checked_at = time.monotonic()

    def find_problem(self) -> str:
        """Return how the worker is frozen; an empty string if it isn't."""
        now = time.monotonic()
        elapsed = min(now - self._checked_at, MAX_CHECK_S)
        self._checked_at = now
        received = self._read()
        for signal in self._silence:
            self._silence[signal] += elapsed
            if signal in received:
                self._silence[signal] = 0.0
        if self._silence[ALIVE] > self._limits[ALIVE]:
            return f"it has been stopped for more than {self._limits[ALIVE]:.0f} s"
        if self._silence[STEP] > self._limits[STEP]:
            return f"a step has taken more than {self._limits[STEP]:.0f} s"
        return ""

    def close(self) -> None:
        """Close both ends."""
        os.close(self._read_end)
        os.close(self.write_end)

    def _read(self) -> bytes:
        with suppress(BlockingIOError):
            return os.read(self._read_end, READ_BYTES)
        return b""


def limits_from_environment() -> Mapping[bytes, float]:
    """Return the limits; tests shorten both by a variable."""
    seconds = os.environ.get(environment.FROZEN_AFTER)
    return dict.fromkeys(LIMITS_S, float(seconds)) if seconds else LIMITS_S
