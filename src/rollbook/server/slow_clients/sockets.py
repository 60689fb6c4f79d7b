"""Sockets that send in slices, so that a large response may take long but no slice may.

Those with TLS receive in slices, too: otherwise, a buffer of the size that gunicorn asks for, up to
a megabyte, would be allocated for each record of 16 KiB.
"""

import errno
import socket
import ssl
from collections.abc import Callable
from typing import Any

SLICE_BYTES = 16 * 1024
TLS_RECORD_BYTES = 16 * 1024
SEND_TIMEOUT_S = 30.0  # for each slice

# The kernel buffers any response up to this size at once, so a client that reads one byte per
# second doesn't occupy a thread.
SEND_BUFFER_BYTES = 256 * 1024


def _send_in_slices(send: Callable[[memoryview], None], data: Any) -> None:
    view = memoryview(data).cast("B")
    try:
        for start in range(0, len(view), SLICE_BYTES):
            send(view[start : start + SLICE_BYTES])
    except TimeoutError:
        raise BrokenPipeError(errno.EPIPE, "the client reads too slowly") from None


class PlainSocket(socket.socket):
    """A connection without TLS: from a proxy, or from a client that used http:// by mistake."""

    def sendall(self, data: Any, flags: int = 0) -> None:
        """Send the data in slices, each within the send timeout."""
        self.settimeout(SEND_TIMEOUT_S)
        _send_in_slices(super().sendall, data)


class TlsSocket(ssl.SSLSocket):
    """A connection over TLS."""

    def sendall(self, data: Any, flags: int = 0) -> None:
        """Send the data in slices, each within the send timeout."""
        self.settimeout(SEND_TIMEOUT_S)
        _send_in_slices(super().sendall, data)

    def recv(self, buflen: int = TLS_RECORD_BYTES, flags: int = 0) -> bytes:
        """Receive at most a record of TLS; no call returns more than one."""
        return super().recv(min(buflen, TLS_RECORD_BYTES), flags)
