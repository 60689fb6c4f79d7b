"""How long an upload may take: a thin link is served, a client that dawdles is not waited for."""

import errno
import socket
import time
from collections.abc import Callable

RECEIVE_TIMEOUT_S = 30.0  # seconds
MIN_BYTES_PER_S = 1_000  # bytes that earn a second of patience
MIN_UPLOAD_BYTES_PER_S = (
    12_500  # bytes a second that a whole upload must reach (100 kbit/s), after ...
)
GRACE_PERIOD_S = 600.0  # ... ten minutes that everybody has

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class TooSlow(ConnectionResetError):
    """The client sends too slowly. For gunicorn and Django it is a connection that broke."""

    def __init__(self) -> None:
        super().__init__(errno.ECONNRESET, "the client sends too slowly")


class ReceiveBudget:
    """Patience with one sender: waiting spends it, every kilobyte earns a second back, at most 30 s are saved up.

    So a client that stops, or sends a byte a second, is given up after half a minute, however much it sent before.
    Beyond that a whole upload has ten minutes, and the time its announced size takes at 100 kbit/s.
    """

    def __init__(self, length: int | None) -> None:
        self.patience = RECEIVE_TIMEOUT_S
        self.rest = GRACE_PERIOD_S + (length or 0) / MIN_UPLOAD_BYTES_PER_S

    def seconds_left(self) -> float:
        """The seconds to wait for the next byte; raises TooSlow when none are left."""
        seconds = min(self.patience, self.rest)
        if seconds <= 0:
            raise TooSlow
        return seconds

    def spent(self, seconds: float, received: int) -> None:
        """The last wait took so long and brought so many bytes."""
        self.rest -= seconds
        self.patience = min(RECEIVE_TIMEOUT_S, self.patience - seconds + received / MIN_BYTES_PER_S)


class Upload:
    """A request whose body is still on its way, as gunicorn's parser reads it: a source of bytes with ``recv``."""

    def __init__(
        self, sock: socket.socket, begun: bytes, pace: ReceiveBudget, invite: bool
    ) -> None:
        self.sock = sock
        self.begun = begun
        self.pace = pace
        self.invite = invite

    def recv(self, size: int) -> bytes:
        """What was received before the request got its thread, then what the network brings."""
        if self.begun:
            begun, self.begun = self.begun, b""
            return begun
        self._send_invitation()
        return self._paced(lambda: self.sock.recv(size))

    def _send_invitation(self) -> None:
        # Reading on past the header is how the application asks for the body. Who refuses without reading it
        # never gets here, and the client, told in time, never sends it.
        if self.invite:
            self.invite = False
            self.sock.sendall(CONTINUE)

    def _paced(self, receive: Callable[[], bytes]) -> bytes:
        self.sock.settimeout(self.pace.seconds_left())
        began = time.monotonic()
        try:
            data = receive()
        except TimeoutError:
            raise TooSlow from None
        self.pace.spent(time.monotonic() - began, len(data))
        return data
