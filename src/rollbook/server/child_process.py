"""The processes that the supervisor looks after: each started, looked at, started again and stopped."""

import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

FIRST_DELAY = 0.1  # seconds before the first new start, doubled each time up to ...
LONGEST_DELAY = 30.0
LONG_LIFE = 60.0  # who lived so long begins with the first delay again

log = logging.getLogger(__name__)


@dataclass
class Child:
    """A subcommand of ours in a process group of its own, so that Ctrl-C in a terminal reaches only the supervisor."""

    name: str
    arguments: Sequence[str]
    environment: Mapping[str, str]
    inherited: Sequence[int]  # file descriptors
    delay: float = FIRST_DELAY
    start_at: float = 0.0  # when to start, by the monotonic clock
    started_at: float = 0.0
    process: "subprocess.Popen[bytes] | None" = field(default=None, init=False)
    code: int = 0  # the exit code of the last one

    def supervise(self) -> None:
        """Start it if it is due; if it died, see when it will be."""
        if self.process is None:
            if time.monotonic() >= self.start_at:
                self._start()
        elif self.has_ended():
            self._schedule_restart()

    def has_ended(self) -> bool:
        """Whether no process is left; what it left behind in its group is ended too."""
        if self.process is None:
            return True
        # Not yet waited for, the dead process keeps its number, so that the group can be no one else's.
        if os.waitid(os.P_PID, self.process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            return False
        self.signal_group(signal.SIGKILL)
        self.code = self.process.wait()
        self.process = None
        return True

    def signal(self, number: int) -> None:
        """Tell the process itself."""
        if self.process is not None:
            os.kill(
                self.process.pid, number
            )  # Popen's own way would wait for it, and give its number away

    def signal_group(self, number: int) -> None:
        """Tell it and all that it started."""
        if self.process is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, number)

    def _start(self) -> None:
        self.started_at = time.monotonic()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "rollbook", *self.arguments],
            env=self.environment,
            pass_fds=self.inherited,
            process_group=0,
            stdin=subprocess.DEVNULL,
            stdout=2,  # the supervisor's one line on stdout stays the only one
        )

    def _schedule_restart(self) -> None:
        lived = time.monotonic() - self.started_at
        if lived >= LONG_LIFE:
            self.delay = FIRST_DELAY
        self.start_at = time.monotonic() + self.delay
        told = f"{self.name} ended after {lived:.1f} s ({_how(self.code)}); it starts again in {self.delay:.1f} s"
        log.error(told)
        self.delay = min(self.delay * 2, LONGEST_DELAY)


def _how(code: int) -> str:
    return f"exit code {code}" if code >= 0 else f"signal {signal.Signals(-code).name}"
