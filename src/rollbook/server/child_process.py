"""The child processes that the supervisor starts, restarts and stops."""

import logging
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from rollbook.child_python import python_command
from rollbook.exit_codes import NEWER_DATABASE
from rollbook.server.worker_progress import WorkerProgress

MIN_RESTART_DELAY_S = 0.1  # doubled after each restart
MAX_RESTART_DELAY_S = 30.0
STABLE_AFTER_S = 60.0  # a process that ran this long restarts with the minimum delay again

log = logging.getLogger(__name__)


@dataclass
class Child:
    """A subcommand in its own process group, so Ctrl-C in a terminal reaches only the supervisor.

    Attributes:
        name: Its name in the log.
        arguments: The subcommand and its options.
        environment: Its environment variables.
        inherited: The file descriptors it inherits.
        delay: Seconds to wait before the next restart.
        start_at: When to start it, by the monotonic clock.
        started_at: When it was last started, by the monotonic clock.
        progress: What it reports, if it is killed when it makes no progress.
        process: The running process.
        code: The exit code of the last process.
        is_killed: Whether the running process was killed because it was frozen.
    """

    name: str
    arguments: Sequence[str]
    environment: Mapping[str, str]
    inherited: Sequence[int]
    delay: float = MIN_RESTART_DELAY_S
    start_at: float = 0.0
    started_at: float = 0.0
    progress: WorkerProgress | None = None
    process: "subprocess.Popen[bytes] | None" = field(default=None, init=False)
    code: int = 0
    is_killed: bool = field(default=False, init=False)

    def supervise(self) -> None:
        """Start the process when it is time to; restart it if it has ended or is frozen."""
        if self.process is None:
            if time.monotonic() >= self.start_at and not self.found_newer_database:
                self._start()
        elif self.has_ended():
            if not self.found_newer_database:
                self._schedule_restart()
        elif self.progress and not self.is_killed:
            self._kill_if_frozen(self.progress)

    @property
    def found_newer_database(self) -> bool:
        """Whether the process has ended because it is too old for the database."""
        return self.process is None and self.code == NEWER_DATABASE

    def has_ended(self) -> bool:
        """Return whether no process is running; kill what an ended one left in its group."""
        if self.process is None:
            return True
        # Until we wait for the ended process, its id, and so its group's, can't be reused.
        if os.waitid(os.P_PID, self.process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            return False
        self.signal_group(signal.SIGKILL)
        self.code = self.process.wait()
        self.process = None
        return True

    def signal(self, number: int) -> None:
        """Send a signal to the process."""
        if self.process is not None:
            # Popen.send_signal() would wait for an ended process and so release its id.
            os.kill(self.process.pid, number)

    def signal_group(self, number: int) -> None:
        """Send a signal to the process and all that it started."""
        if self.process is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, number)

    def _start(self) -> None:
        if self.progress:
            self.progress.restart()
        self.is_killed = False
        self.started_at = time.monotonic()
        self.process = subprocess.Popen(  # noqa: S603 - our own command
            python_command("rollbook", *self.arguments),
            env=self.environment,
            pass_fds=self.inherited,
            process_group=0,
            stdin=subprocess.DEVNULL,
            stdout=2,  # so that the supervisor's line is the only one on stdout
        )

    def _kill_if_frozen(self, progress: WorkerProgress) -> None:
        problem = progress.find_problem()
        if problem:
            self.is_killed = True
            log.critical("%s is frozen and is killed: %s", self.name, problem)
            # The kernel releases its locks. SIGKILL also ends a process that is stopped.
            self.signal_group(signal.SIGKILL)

    def _schedule_restart(self) -> None:
        seconds = time.monotonic() - self.started_at
        if seconds >= STABLE_AFTER_S:
            self.delay = MIN_RESTART_DELAY_S
        self.start_at = time.monotonic() + self.delay
        log.error(
            "%s ended after %.1f s (%s); it restarts in %.1f s",
            self.name,
            seconds,
            _reason(self.code),
            self.delay,
        )
        self.delay = min(self.delay * 2, MAX_RESTART_DELAY_S)


def _reason(code: int) -> str:
    return f"exit code {code}" if code >= 0 else f"signal {signal.Signals(-code).name}"
