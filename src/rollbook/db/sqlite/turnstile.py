"""A lock file through which SQLite's writers pass, so that the worker lets the others go first."""

import fcntl
import os
import time
from typing import cast

from django.db import connection

MAX_WAIT_S = (
    1.0  # seconds the worker waits at most: a stream of writers must not starve it in its turn
)
POLL_INTERVAL_S = 0.002


class Turnstile:
    """One connection's place in the turnstile."""

    def __init__(self, path: str) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def __del__(self) -> None:
        os.close(self._file)

    def enter(self) -> None:
        """Wait until the worker is not passing, and keep it out until ``leave``."""
        fcntl.flock(self._file, fcntl.LOCK_SH)

    def leave(self) -> None:
        fcntl.flock(self._file, fcntl.LOCK_UN)

    def pass_through(self) -> None:
        """Wait until nobody is inside, at most ``PATIENCE`` seconds."""
        deadline = time.monotonic() + MAX_WAIT_S
        while time.monotonic() < deadline:
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                time.sleep(POLL_INTERVAL_S)
            else:
                break
        self.leave()


def yield_to_other_writers() -> None:
    """The worker calls this before each of its steps, outside of any transaction."""
    connection.ensure_connection()
    turnstile = getattr(connection, "turnstile", None)
    if turnstile:
        cast("Turnstile", turnstile).pass_through()
