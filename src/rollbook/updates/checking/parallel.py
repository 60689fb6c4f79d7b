"""Check a large file in parallel: a second process takes byte ranges from the end of the file.

Both processes commit their own batches behind the same fence. So nothing is done twice whatever
happens to the second process, and ``byte_ranges.unchecked_ranges`` finds what it left undone, as
after any crash. It gets one byte range at a time, when it requests one, so a process that starts
slowly or not at all delays nothing.
"""

import json
import os
import subprocess
from contextlib import suppress
from threading import Thread
from typing import IO, Self, cast

from rollbook.child_python import python_command
from rollbook.updates.checking.byte_ranges import ByteRange

WORKER = "rollbook.updates.checking.worker_process"
MIN_RANGES = 3  # fewer byte ranges are checked before the second process has started
POLL_INTERVAL_S = 0.1


class ParallelChecker:
    """A context manager that runs the second process, if there is enough work and a second core."""

    def __init__(self, update_id: int, run: str) -> None:
        self._update_id, self._run = update_id, run
        self._is_possible = len(os.sched_getaffinity(0)) > 1
        self._is_checking = False
        self._process: subprocess.Popen[bytes] | None = None
        self._thread = Thread()

    def __enter__(self) -> Self:
        return self

    def share(self, ranges: list[ByteRange], *, finds_known: bool) -> None:
        """Start the process, which takes byte ranges from the end of the list as long as it can.

        Only the first call with enough of them does that.

        Args:
            ranges: What is still to be checked; the caller takes the first ones.
            finds_known: Whether the process has to find out which records are known.
        """
        if not self._is_possible or len(ranges) < MIN_RANGES:
            return
        self._is_possible = False  # a second time
        arguments = json.dumps([self._update_id, self._run, finds_known])
        self._process = subprocess.Popen(  # noqa: S603 - our own module
            python_command(WORKER, arguments),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
        )
        self._thread = Thread(target=self._send, args=(self._process, ranges), daemon=True)
        self._thread.start()

    def _send(self, process: "subprocess.Popen[bytes]", ranges: list[ByteRange]) -> None:
        """Send the last byte range whenever the process requests one."""
        requests, answers = cast("IO[bytes]", process.stdout), cast("IO[bytes]", process.stdin)
        with suppress(BrokenPipeError, IndexError):  # it has ended, or no range is left
            while requests.read(1):
                self._is_checking = True  # before the list is empty, so that the caller sees it
                answers.write(ranges.pop().as_json().encode() + b"\n")
        self._is_checking = False

    @property
    def has_started(self) -> bool:
        """Whether there is or was a process, which may leave something undone."""
        return self._process is not None

    def is_busy(self) -> bool:
        """Return whether the process still checks a byte range, after ``POLL_INTERVAL_S``.

        All ranges have to be taken from the list.
        """
        if self._is_checking:
            self._thread.join(POLL_INTERVAL_S)
        return self._is_checking

    def __exit__(self, *error: object) -> None:
        if self._process:
            with self._process:  # waits for its end, and closes the pipes
                self._process.kill()
                self._thread.join()
