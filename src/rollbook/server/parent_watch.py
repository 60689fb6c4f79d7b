"""A pipe from the supervisor to its child processes, which exit when it is closed.

The supervisor holds the only write end and never writes. However the supervisor ends, the kernel
closes that end.
"""

import os
import threading

from rollbook import environment

VARIABLE = environment.LIFELINE


def watch() -> None:
    """Exit this process as soon as the supervisor ends; do nothing if there is no supervisor."""
    read_end = os.environ.get(VARIABLE)
    if read_end:
        threading.Thread(
            target=_exit_when_closed, args=(int(read_end),), name="lifeline", daemon=True
        ).start()


def _exit_when_closed(read_end: int) -> None:
    # No cleanup: every process must be able to restart after it was killed anyway.
    os.read(read_end, 1)
    os._exit(1)
