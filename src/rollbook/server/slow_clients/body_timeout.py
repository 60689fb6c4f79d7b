"""Limits how long an upload may take: slow links are served, stalled clients are disconnected."""

import errno
import socket
import time
from collections.abc import Callable

from rollbook.web.http.upload_shares import Caller, ShareExceeded, Trust
from rollbook.web.http.upload_slots import SLOTS, slots

RECEIVE_TIMEOUT_S = 30.0
MIN_BYTES_PER_S = 1_000  # this many bytes add a second to the idle budget
MIN_UPLOAD_BYTES_PER_S = 12_500  # required of a whole upload (100 kbit/s) after the grace period
GRACE_PERIOD_S = 600.0

# Required of strangers, who must not hold the slots of uploads for long.
STRANGERS_TIMEOUT_S = 10.0
STRANGERS_BYTES_PER_S = 16_000
STRANGERS_UPLOAD_BYTES_PER_S = 50_000  # 400 kbit/s
STRANGERS_GRACE_PERIOD_S = 30.0

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

    Strangers have 10 seconds, to which every 16 kilobytes add one, and for the whole upload half a
    minute plus the time its announced size takes at 400 kbit/s.
    """

    def __init__(self, length: int | None, *, is_stranger: bool = False) -> None:
        self.max_idle_seconds = RECEIVE_TIMEOUT_S
        self.bytes_per_second = MIN_BYTES_PER_S
        self.total_seconds = GRACE_PERIOD_S + (length or 0) / MIN_UPLOAD_BYTES_PER_S
        if is_stranger:
            self.max_idle_seconds = min(RECEIVE_TIMEOUT_S, STRANGERS_TIMEOUT_S)
            self.bytes_per_second = STRANGERS_BYTES_PER_S
            needed = (length or 0) / STRANGERS_UPLOAD_BYTES_PER_S
            self.total_seconds = STRANGERS_GRACE_PERIOD_S + needed
        self.idle_seconds = self.max_idle_seconds

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
        idle_seconds = self.idle_seconds - seconds + received / self.bytes_per_second
        self.idle_seconds = min(self.max_idle_seconds, idle_seconds)


class NoSlot(ConnectionResetError):
    """A body is read without asking, and there is no slot. Handled as a broken connection.

    Attributes:
        code: The code of the error.
    """

    def __init__(self, code: str) -> None:
        super().__init__(errno.ECONNRESET, code)
        self.code = code


class Upload:
    """A request whose body is still being received: a byte source for gunicorn's parser.

    It takes a slot before it receives anything: of the caller that the application names by
    ``admit``, or of a stranger if the application just reads.

    Args:
        sock: The client's socket.
        received: The header and what was received of the body before a thread took the request.
        stranger: Who the client is if the application doesn't name the caller.
        length: The announced bytes of the body; None if there are none.
        send_100_continue: Whether the client waits for ``100 Continue`` before it sends the body.
    """

    def __init__(
        self,
        sock: socket.socket,
        received: bytes,
        stranger: Caller,
        length: int | None,
        *,
        send_100_continue: bool,
    ) -> None:
        self.sock = sock
        self.received = received
        self.length = length
        self.send_100_continue = send_100_continue
        self._stranger = stranger
        self._caller: Caller | None = None
        self._budget = ReceiveBudget(length, is_stranger=True)

    def admit(self, caller: Caller) -> None:
        """Take a slot for the rest of the body.

        Raises:
            ShareExceeded: There is none for this caller.
        """
        self.release()
        slots.take(caller, 1, SLOTS)
        self._caller = caller
        is_stranger = caller.trust is Trust.STRANGER
        self._budget = ReceiveBudget(self.length, is_stranger=is_stranger)

    def release(self) -> None:
        """Give the slot back, if there is one."""
        if self._caller:
            slots.give_back(self._caller, 1)
        self._caller = None

    def recv(self, size: int) -> bytes:
        """Return the bytes received so far, then up to ``size`` bytes from the network."""
        if self.received:
            received, self.received = self.received, b""
            return received
        self._require_slot()
        self._ask_for_body()
        return self._receive_within_budget(lambda: self.sock.recv(size))

    def _require_slot(self) -> None:
        if self._caller:
            return
        try:
            self.admit(self._stranger)
        except ShareExceeded as exceeded:
            raise NoSlot(exceeded.code) from None

    def _ask_for_body(self) -> None:
        # The application asks for the body by reading past the header. If it responds without
        # reading, we never get here, and the client gets the response before it sends the body.
        if self.send_100_continue:
            self.send_100_continue = False
            self.sock.sendall(CONTINUE)

    def _receive_within_budget(self, receive: Callable[[], bytes]) -> bytes:
        self.sock.settimeout(self._budget.seconds_left())
        started_at = time.monotonic()
        try:
            data = receive()
        except TimeoutError:
            raise TooSlow from None
        self._budget.spent(time.monotonic() - started_at, len(data))
        return data
