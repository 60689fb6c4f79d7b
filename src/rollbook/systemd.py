"""Notify systemd, if it has started this process as a service of ``Type=notify``."""

import os
import socket
import time

READY, WATCHDOG = "READY=1", "WATCHDOG=1"
SOCKET = "NOTIFY_SOCKET"
VARIABLES = frozenset({SOCKET, "WATCHDOG_USEC", "WATCHDOG_PID"})
"""What systemd sets for the main process of a service only."""

PING_INTERVAL_S = 1.0


def notify(state: str) -> None:
    """Send a state, such as ``READY``; do nothing without systemd.

    An error has no consequence here: if systemd misses too many pings, it restarts the service.
    """
    address = os.environ.get(SOCKET)
    if not address:
        return
    if address.startswith("@"):  # the abstract namespace
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock:
        sock.settimeout(0)
        try:
            sock.connect(address)
            sock.send(state.encode())
        except OSError:
            return


class Watchdog:
    """Pings the watchdog of systemd; call ``ping`` from the loop whose progress it stands for."""

    def __init__(self) -> None:
        self._due_at = 0.0

    def ping(self) -> None:
        """Send a ping, unless the last one was less than ``PING_INTERVAL_S`` ago."""
        now = time.monotonic()
        if now >= self._due_at:
            self._due_at = now + PING_INTERVAL_S
            notify(WATCHDOG)
