"""Check a large file in parallel: a second process takes byte ranges from the end of the file.

Both processes commit their own batches behind the same fence. So nothing is done twice whatever
happens to the second process, and ``stretches.open_ones`` finds what it left undone, as after any
crash. It gets one byte range at a time, when it asks for one, so a process that starts slowly or
not at all delays nothing. The digests of the district's students are read once and shared through
a file in memory.
"""

import json
import os
import select
import subprocess
import sys
from collections.abc import Callable
from types import TracebackType
from typing import IO, Self, cast

from rollbook.students.fingerprints import FingerprintIndex
from rollbook.updates.checking.byte_ranges import ByteRange

WORKER = "rollbook.updates.checking.worker_process"
MIN_RANGES = 4  # byte ranges; fewer are checked before the second process has started
POLL_INTERVAL_S = 0.1  # seconds


class ParallelChecker:
    """The second process while the block lasts; none on one core or for a small file."""

    def __init__(self, update_id: int, run: str, stretches: int) -> None:
        self._update_id, self._run = update_id, run
        self._wanted = stretches >= MIN_RANGES and len(os.sched_getaffinity(0)) > 1
        self._busy = False

    def __enter__(self) -> Self:
        self._process = None
        if self._wanted:
            self._shared = os.fdopen(os.memfd_create("known"), "wb")
            self._process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    WORKER,
                    json.dumps([self._update_id, self._run, self._shared.fileno()]),
                ],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                bufsize=0,
                pass_fds=[self._shared.fileno()],
            )
        return self

    def send_index(self, known: Callable[[], FingerprintIndex]) -> None:
        """Share the known digests with the process; nothing is read if there is none."""
        if self._process:
            known().write_to(self._shared)

    def offer_range(self, todo: list[ByteRange]) -> None:
        """Move the last byte range from the list to the process if it asks for one."""
        if todo and self._process and self._is_ready(0):
            try:
                cast("IO[bytes]", self._process.stdin).write(
                    json.dumps(todo[-1].as_json()).encode() + b"\n"
                )
            except BrokenPipeError:
                self._process = None
            else:
                todo.pop()
                self._busy = True

    def is_busy(self) -> bool:
        """Return whether the process still checks a byte range, after waiting for MOMENT."""
        return self._busy and not self._is_ready(POLL_INTERVAL_S)

    def _is_ready(self, seconds: float) -> bool:
        """Return whether the process asks for a byte range; one that has ended is not busy."""
        if (
            self._process is None
            or not select.select([cast("IO[bytes]", self._process.stdout)], [], [], seconds)[0]
        ):
            return False
        self._busy = False
        if cast("IO[bytes]", self._process.stdout).read(1):
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
        if self._wanted:
            self._shared.close()
