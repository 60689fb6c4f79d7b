"""Check a large file in parallel: a second process takes byte ranges from the end of the file.

Both processes commit their own batches behind the same fence. So nothing is done twice whatever
happens to the second process, and ``byte_ranges.unchecked_ranges`` finds what it left undone, as
after any crash. It gets one byte range at a time, when it requests one, so a process that starts
slowly or not at all delays nothing.
"""

import json
import os
import select
import subprocess
from types import TracebackType
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

    def __enter__(self) -> Self:
        return self

    def offer_range(self, ranges: list[ByteRange], *, finds_known: bool) -> None:
        """Move the last byte range from the list to the second process if that is ready.

        The first call starts the process, which may have to find out which records are known.
        """
        if self._is_possible and len(ranges) >= MIN_RANGES:
            self._is_possible = False  # a second time
            arguments = json.dumps([self._update_id, self._run, finds_known])
            self._process = subprocess.Popen(  # noqa: S603 - our own module
                python_command(WORKER, arguments),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                bufsize=0,
            )
        if not ranges or not self._process or not self._is_ready(timeout_s=0):
            return
        line = ranges[-1].as_json().encode() + b"\n"
        try:
            cast("IO[bytes]", self._process.stdin).write(line)
        except BrokenPipeError:
            self._process = None
        else:
            ranges.pop()
            self._is_checking = True

    def is_busy(self) -> bool:
        """Return whether the process still checks a byte range, after ``POLL_INTERVAL_S``."""
        return self._is_checking and not self._is_ready(POLL_INTERVAL_S)

    def _is_ready(self, timeout_s: float) -> bool:
        """Return whether the process requests a byte range; one that has ended isn't busy."""
        if self._process is None:
            return False
        output = cast("IO[bytes]", self._process.stdout)
        readable, _, _ = select.select([output], [], [], timeout_s)
        if not readable:
            return False
        self._is_checking = False
        if output.read(1):
            return True
        self._process = None
        return False

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process:
            self._process.kill()
            self._process.__exit__(kind, value, trace)
