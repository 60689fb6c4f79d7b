"""Whether a worker lives: a file that it keeps locked and touches again and again.

The lock ends with the process, however that ends, so nobody is ever thought to live who does not; and a process that
hangs stops touching the file. There is one lock, so there is one worker at a time.
"""

import fcntl
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from django.conf import settings

from rollbook.updates.engine import WorkerStatus

HEARTBEAT_TIMEOUT = timedelta(seconds=20)


class WorkerLock:
    """A worker's place; only one process has it at a time."""

    def __init__(self) -> None:
        _path().parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._file = os.open(_path(), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def acquire(self) -> bool:
        """Take the place if nobody has it."""
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        self.beat()
        return True

    def beat(self) -> None:
        """Give a sign of life."""
        os.utime(self._file)

    def release(self) -> None:
        """Give the place up."""
        fcntl.flock(self._file, fcntl.LOCK_UN)


def worker_status() -> WorkerStatus:
    """Whether a worker lives, and its last sign of life."""
    try:
        file = os.open(_path(), os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return WorkerStatus(alive=False, at=None)
    try:
        at = datetime.fromtimestamp(os.fstat(file).st_mtime, UTC)
        fresh = datetime.now(UTC) - at < HEARTBEAT_TIMEOUT
        return WorkerStatus(alive=fresh and _is_held(file), at=at)
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
