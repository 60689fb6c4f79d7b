"""A second pair of hands for a large file: a process that checks stretches from its end while this one begins in front.

Each commits its own batches behind the same fence, so whatever happens to the other process, nothing is done twice, and
what it leaves undone is found by ``stretches.open_ones`` as after any crash. It is given one stretch at a time, when it
asks for one: who is slow to start, or never does, keeps nobody waiting. What is known of the district's students is
read once, and shared in a file that stands in memory.
"""

import json
import os
import select
import subprocess
import sys
from collections.abc import Callable
from types import TracebackType
from typing import IO, Self, cast

from rollbook.roster.digests import Known
from rollbook.updates.stretches import Stretch

WORKER = "rollbook.updates.worker_process"
WORTH_IT = 4  # stretches: less work is done before the other process has started
MOMENT = 0.1  # seconds


class SecondHand:
    """The other process, as long as the block lasts; none if there is one core or too little to do."""

    def __init__(self, update_id: int, run: str, stretches: int) -> None:
        self._update_id, self._run = update_id, run
        self._wanted = stretches >= WORTH_IT and len(os.sched_getaffinity(0)) > 1
        self._busy = False

    def __enter__(self) -> Self:
        self._process = None
        if self._wanted:
            self._shared = os.fdopen(os.memfd_create("known"), "wb")
            self._process = subprocess.Popen(  # noqa: S603 - a module of ours
                [sys.executable, "-m", WORKER, json.dumps([self._update_id, self._run, self._shared.fileno()])],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                bufsize=0,
                pass_fds=[self._shared.fileno()],
            )
        return self

    def tell(self, known: Callable[[], Known]) -> None:
        """What it has to know before it is given a stretch; nothing is looked up if there is no other process."""
        if self._process:
            known().share(self._shared)

    def help(self, todo: list[Stretch]) -> None:
        """Take the last stretch off the list, if the hands are free."""
        if todo and self._process and self._asks(0):
            try:
                cast("IO[bytes]", self._process.stdin).write(json.dumps(todo[-1].as_json()).encode() + b"\n")
            except BrokenPipeError:
                self._process = None
            else:
                todo.pop()
                self._busy = True

    def is_busy(self) -> bool:
        """Whether it is still at its last stretch, after waiting a moment."""
        return self._busy and not self._asks(MOMENT)

    def _asks(self, seconds: float) -> bool:
        """Whether it asks for a stretch. At the end of its life it has nothing in hand either."""
        if self._process is None or not select.select([cast("IO[bytes]", self._process.stdout)], [], [], seconds)[0]:
            return False
        self._busy = False
        if cast("IO[bytes]", self._process.stdout).read(1):
            return True
        self._process = None
        return False

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process:
            self._process.kill()
            self._process.__exit__(kind, value, trace)
        if self._wanted:
            self._shared.close()
