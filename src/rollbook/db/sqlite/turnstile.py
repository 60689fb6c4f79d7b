"""A lock file that makes the worker wait for the other writers of SQLite."""

import fcntl
import os
import time
import weakref
from typing import cast

from django.db import connection

MAX_WAIT_S = 1.0
"""How long the worker waits at most, so that a stream of writers doesn't starve it. A writer waits
no longer either: the worker holds its lock for less than a millisecond, unless it is frozen."""
POLL_INTERVAL_S = 0.002


class Turnstile:
    """One connection's handle of the lock file."""

    def __init__(self, path: str) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        # At the end of the process the kernel closes it; another thread may still use it then.
        weakref.finalize(self, os.close, self._file).atexit = False

    def enter(self) -> None:
        """Acquire the shared lock; the worker waits until ``leave``.

        Without the lock, the transaction is only less fair, so a frozen worker can't block it here.
        """
        self._acquire(fcntl.LOCK_SH)

    def leave(self) -> None:
        """Release the lock."""
        fcntl.flock(self._file, fcntl.LOCK_UN)

    def pass_through(self) -> None:
        """Wait until no connection holds the shared lock, at most ``MAX_WAIT_S`` seconds."""
        self._acquire(fcntl.LOCK_EX)
        self.leave()

    def _acquire(self, kind: int) -> None:
        deadline = time.monotonic() + MAX_WAIT_S
        while time.monotonic() < deadline:
            try:
                fcntl.flock(self._file, kind | fcntl.LOCK_NB)
            except BlockingIOError:
                time.sleep(POLL_INTERVAL_S)
            else:
                break


def yield_to_other_writers() -> None:
    """Wait for the other writers; the worker calls this outside of transactions."""
    connection.ensure_connection()
    turnstile = getattr(connection, "turnstile", None)
    if turnstile:
        cast("Turnstile", turnstile).pass_through()
