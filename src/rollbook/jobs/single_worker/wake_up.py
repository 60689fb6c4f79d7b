"""Wake the worker when an update was committed, through a named pipe in the data folder.

The bytes in the pipe only mean that there may be work. If one is lost, or if the pipe is missing or
nobody reads it, the update waits for the end of the worker's pause.
"""

import os
import select
import stat
import time
from contextlib import suppress
from pathlib import Path

from django.conf import settings

_MAX_BYTES = 1 << 16  # the size of a pipe


def wake() -> None:
    """Wake the worker, if one listens."""
    with suppress(OSError):
        pipe = os.open(_path(), os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            if stat.S_ISFIFO(os.fstat(pipe).st_mode):
                os.write(pipe, b"!")
        finally:
            os.close(pipe)


class Alarm:
    """The end of the pipe at which the active worker listens."""

    def __init__(self) -> None:
        self._pipe: int | None = None

    def open(self) -> None:
        """Create the pipe if necessary, and listen; without a pipe, no pause is cut short."""
        with suppress(OSError):
            _create()
            # Opened for writing, too, it never has an end that would be read.
            self._pipe = os.open(_path(), os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)

    def wait(self, seconds: float) -> None:
        """Return when the worker is woken, at the latest after so many seconds."""
        if self._pipe is None:
            time.sleep(seconds)
            return
        readable, _, _ = select.select([self._pipe], [], [], seconds)
        if readable:
            with suppress(OSError):
                os.read(self._pipe, _MAX_BYTES)

    def close(self) -> None:
        """Stop listening; may be called again."""
        if self._pipe is not None:
            os.close(self._pipe)
            self._pipe = None


def _create() -> None:
    path = _path()
    if path.exists() and not path.is_fifo():  # as copied by a program that doesn't know pipes
        path.unlink()
    with suppress(FileExistsError):
        os.mkfifo(path, 0o600)


def _path() -> Path:
    path: Path = settings.DATA / "worker.wake"
    return path
