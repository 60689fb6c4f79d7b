"""A pipe from the supervisor to its children: when it breaks, nobody looks after them any more and they end.

The supervisor holds the only writing end and never writes. However it dies, the kernel closes that end.
"""

import os
import threading

from rollbook import environment

VARIABLE = environment.LIFELINE


def watch() -> None:
    """End this process at once when the supervisor is gone; does nothing in a process that has none."""
    end = os.environ.get(VARIABLE)
    if end:
        threading.Thread(target=_hold, args=(int(end),), name="lifeline", daemon=True).start()


def _hold(end: int) -> None:
    # Nothing is tidied up: whatever a process leaves behind when it is killed must be good enough here too.
    os.read(end, 1)
    os._exit(1)
