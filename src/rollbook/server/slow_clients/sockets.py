"""Sockets that hand over an answer slice by slice: a large one may take long, a client that stops reading may not."""

import errno
import socket
import ssl
from collections.abc import Callable
from typing import Any

SLICE_BYTES = 16 * 1024
SEND_TIMEOUT_S = 30.0  # seconds for each slice

# The kernel takes any answer up to this size at once, so that a client that reads a byte a second holds no thread.
SEND_BUFFER_BYTES = 256 * 1024


def _in_slices(send: Callable[[memoryview], None], data: Any) -> None:
    view = memoryview(data).cast("B")
    try:
        for start in range(0, len(view), SLICE_BYTES):
            send(view[start : start + SLICE_BYTES])
    except TimeoutError:
        raise BrokenPipeError(errno.EPIPE, "the client reads too slowly") from None


class PlainSocket(socket.socket):
    """A client behind a proxy, or one that forgot the s of https."""

    def sendall(self, data: Any, flags: int = 0) -> None:
        self.settimeout(SEND_TIMEOUT_S)
        _in_slices(super().sendall, data)


class TlsSocket(ssl.SSLSocket):
    """A client over TLS."""

    def sendall(self, data: Any, flags: int = 0) -> None:
        self.settimeout(SEND_TIMEOUT_S)
        _in_slices(super().sendall, data)
