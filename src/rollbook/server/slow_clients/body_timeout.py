"""Limits how long an upload may take: slow links are served, stalled clients are disconnected."""

import errno
import socket
import time
from collections.abc import Callable

RECEIVE_TIMEOUT_S = 30.0
MIN_BYTES_PER_S = 1_000  # this many bytes add a second to the idle budget
MIN_UPLOAD_BYTES_PER_S = 12_500  # required of a whole upload (100 kbit/s) after the grace period
GRACE_PERIOD_S = 600.0

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class TooSlow(ConnectionResetError):
    """The client sends too slowly. gunicorn and Django handle this as a broken connection."""

    def __init__(self) -> None:
        super().__init__(errno.ECONNRESET, "the client sends too slowly")


class ReceiveBudget:
    """The time we keep waiting for one upload.

    The idle budget is at most 30 seconds: waiting uses it up, and every kilobyte received adds a
    second. A client that stops sending, or sends one byte per second, is disconnected after half a
    minute, no matter how much it sent before. In addition, the whole upload has ten minutes plus
    the time its announced size takes at 100 kbit/s.
    """

    def __init__(self, length: int | None) -> None:
        self.idle_seconds = RECEIVE_TIMEOUT_S
        self.total_seconds = GRACE_PERIOD_S + (length or 0) / MIN_UPLOAD_BYTES_PER_S

    def seconds_left(self) -> float:
        """Return the seconds to wait for the next byte.

        Raises:
            TooSlow: No time is left.
        """
        seconds = min(self.idle_seconds, self.total_seconds)
        if seconds <= 0:
            raise TooSlow
        return seconds

    def spent(self, seconds: float, received: int) -> None:
        """Record one wait: how long it took and how many bytes were received."""
        self.total_seconds -= seconds
        idle_seconds = self.idle_seconds - seconds + received / MIN_BYTES_PER_S
        self.idle_seconds = min(RECEIVE_TIMEOUT_S, idle_seconds)


class Upload:
    """A request whose body is still being received: a byte source for gunicorn's parser.

    Args:
        sock: The client's socket.
        received: The header and what was received of the body before a thread took the request.
        budget: The time the rest of the body may take.
        send_100_continue: Whether the client waits for ``100 Continue`` before it sends the body.
    """

    def __init__(
        self,
        sock: socket.socket,
        received: bytes,
        budget: ReceiveBudget,
        *,
        send_100_continue: bool,
    ) -> None:
        self.sock = sock
        self.received = received
        self.budget = budget
        self.send_100_continue = send_100_continue

    def recv(self, size: int) -> bytes:
        """Return the bytes received so far, then up to ``size`` bytes from the network."""
        if self.received:
            received, self.received = self.received, b""
            return received
        self._ask_for_body()
        return self._receive_within_budget(lambda: self.sock.recv(size))

    def _ask_for_body(self) -> None:
        # The application asks for the body by reading past the header. If it responds without
        # reading, we never get here, and the client gets the response before it sends the body.
        if self.send_100_continue:
            self.send_100_continue = False
            self.sock.sendall(CONTINUE)

    def _receive_within_budget(self, receive: Callable[[], bytes]) -> bytes:
        self.sock.settimeout(self.budget.seconds_left())
        started_at = time.monotonic()
        try:
            data = receive()
        except TimeoutError:
            raise TooSlow from None
        self.budget.spent(time.monotonic() - started_at, len(data))
        return data
