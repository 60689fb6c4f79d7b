"""Report the progress of this worker, so that a frozen one is killed and restarted.

Under ``rollbook serve`` it is reported to the supervisor, through a pipe; otherwise to systemd's
watchdog, if there is one. There are two signals. A thread sends ``ALIVE`` every second, so its
absence means that the whole process is stopped. The loop of the worker sends ``STEP`` whenever a
step ends and while it has no work, so its absence means that a step hangs; the thread can't know
that.
"""

import os
import threading
import time
from contextlib import suppress

from rollbook import environment, systemd

ALIVE, STEP = b"a", b"s"

HEARTBEAT_INTERVAL_S = 1.0
MAX_STEP_S = 300.0
"""A step that takes longer will never end."""

_step_ended_at = time.monotonic()


def start_reporting() -> None:
    """Start the thread that reports that this process is alive; systemd learns that it is ready."""
    report_step()
    systemd.notify(systemd.READY)
    threading.Thread(target=_send_heartbeats, name="heartbeats", daemon=True).start()


def report_step() -> None:
    """Report that a step has ended, or that no work is due."""
    global _step_ended_at
    _step_ended_at = time.monotonic()
    _report(STEP)


def _send_heartbeats() -> None:
    while True:
        _report(ALIVE)
        if time.monotonic() - _step_ended_at < MAX_STEP_S:
            systemd.notify(systemd.WATCHDOG)
        time.sleep(HEARTBEAT_INTERVAL_S)


def _report(signal: bytes) -> None:
    pipe = os.environ.get(environment.PROGRESS)
    if pipe:
        # A full pipe means that the supervisor is stopped; a closed one, that it has ended.
        with suppress(OSError):
            os.write(int(pipe), signal)
