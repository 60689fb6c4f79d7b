"""The worker's lock and heartbeat: a file that a running worker keeps locked and touches.

The kernel releases the lock however the process ends, so a worker is never thought to be alive
after its end. A process that hangs stops touching the file. There is one lock, so there is one
active worker at a time.
"""

import fcntl
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from django.conf import settings

from rollbook.updates.engine import WorkerStatus

HEARTBEAT_TIMEOUT = timedelta(seconds=20)
"""A worker whose last heartbeat is older is not alive."""


class WorkerLock:
    """The lock of the active worker; only one process can hold it."""

    def __init__(self) -> None:
        _path().parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._file = os.open(_path(), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def acquire(self) -> bool:
        """Acquire the lock if it is free; return whether this worker holds it."""
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        self.beat()
        return True

    def beat(self) -> None:
        """Record a heartbeat."""
        os.utime(self._file)

    def release(self) -> None:
        """Release the lock."""
        fcntl.flock(self._file, fcntl.LOCK_UN)


def worker_status() -> WorkerStatus:
    """Return whether a worker is alive, and its last heartbeat."""
    try:
        file = os.open(_path(), os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return WorkerStatus(alive=False, at=None)
    try:
        at = datetime.fromtimestamp(os.fstat(file).st_mtime, UTC)
        is_recent = datetime.now(UTC) - at < HEARTBEAT_TIMEOUT
        return WorkerStatus(alive=is_recent and _is_held(file), at=at)
    finally:
        os.close(file)


def _is_held(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    return False


def _path() -> Path:
    path: Path = settings.DATA / "worker.lock"
    return path
