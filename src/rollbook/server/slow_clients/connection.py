"""One client connection; while we wait for the client, it occupies no thread."""

import socket
import ssl
import time
from collections.abc import Callable, Generator
from contextlib import suppress
from selectors import EVENT_READ, EVENT_WRITE
from typing import Any, TypeAlias, TypeVar

from gunicorn.http import get_parser  # type: ignore[import-untyped]
from gunicorn.workers.gthread import TConn  # type: ignore[import-untyped]

from rollbook.client_network import client_network
from rollbook.server.slow_clients.body_timeout import Upload
from rollbook.server.slow_clients.error_responses import USE_HTTPS, ResponseSent
from rollbook.server.slow_clients.request_head import Head, read_head
from rollbook.server.slow_clients.sockets import PlainSocket
from rollbook.web.http.upload_shares import Caller, Trust

HEAD_TIMEOUT_S = 15.0  # for the TLS handshake and the header together
PREREAD_TIMEOUT_S = 15.0  # for the first 64 KiB of the body, which take 5 s at 100 kbit/s
DRAIN_TIMEOUT_S = 5.0
MAX_DRAINED_BYTES = 64 * 1024 * 1024
CHUNK_BYTES = 64 * 1024

TLS_HANDSHAKE = b"\x16"  # the first byte of every TLS connection

T = TypeVar("T")

# Yields what the socket must be ready for (EVENT_READ or EVENT_WRITE) before the next step, and
# returns the result of the last step.
NonBlockingSteps: TypeAlias = Generator[int, None, T]


class Connection(TConn):  # type: ignore[misc]
    """A client's connection; the worker's loop resumes its steps when the socket is ready.

    Attributes:
        upload: The body of the current request, if it is received while it is read.
        leftover: Bytes received after the current request: the beginning of the next one.
    """

    sock: socket.socket

    def __init__(
        self, cfg: Any, sock: socket.socket, client: Any, server: Any, tls: ssl.SSLContext | None
    ) -> None:
        super().__init__(cfg, PlainSocket(fileno=sock.detach()), client, server)
        self.tls = tls
        self.upload: Upload | None = None
        self.leftover = b""
        self.initialized = True  # read_request() replaces gunicorn's init(), which needs a thread

    @property
    def client_network(self) -> str:
        """The network that the limit on uploads applies to; empty on a Unix socket."""
        if not isinstance(self.client, tuple):
            return ""
        return client_network(self.client[0].partition("%")[0])

    def read_request(self) -> NonBlockingSteps[None]:
        """Receive what a thread needs to have of the next request, after the TLS handshake.

        A small request is received whole, so its thread never waits for the network. The rest of
        an upload, and a body for which the client expects ``100 Continue``, are received while
        the application reads them.
        """
        self.timeout = time.monotonic() + HEAD_TIMEOUT_S
        self.sock.settimeout(0)
        if self.tls and not isinstance(self.sock, ssl.SSLSocket):
            yield from self._begin_tls(self.tls)
        received = bytearray(self.leftover)
        while (head := read_head(received)) is None:
            received += yield from self._receive()
        self.timeout = time.monotonic() + PREREAD_TIMEOUT_S
        while len(received) < head.bytes_needed:
            received += yield from self._receive()
        # gunicorn would parse everything received so far, and take what follows the body for
        # another request.
        end = len(received) if head.is_upload else head.bytes_needed
        self.leftover = bytes(received[end:])
        self._create_parser(head, bytes(received[:end]))

    def drain(self) -> NonBlockingSteps[None]:
        """Shut down the sending side, then receive what the client is still sending.

        Closing a socket with unread bytes resets the connection, and the client may lose a
        response it has not read yet, such as the 413 in the middle of its upload.
        """
        self.timeout = time.monotonic() + DRAIN_TIMEOUT_S
        self.sock.settimeout(0)
        self._end_tls()
        self.sock.shutdown(socket.SHUT_WR)
        drained_bytes = 0
        while drained_bytes < MAX_DRAINED_BYTES:
            yield EVENT_READ
            data = self.sock.recv(CHUNK_BYTES)
            if not data:
                return
            drained_bytes += len(data)

    def _begin_tls(self, tls: ssl.SSLContext) -> NonBlockingSteps[None]:
        first_byte = yield from _when_ready(lambda: self.sock.recv(1, socket.MSG_PEEK))
        if first_byte and first_byte != TLS_HANDSHAKE:
            raise ResponseSent(USE_HTTPS)
        self.sock = tls.wrap_socket(self.sock, server_side=True, do_handshake_on_connect=False)
        yield from _when_ready(self.sock.do_handshake)

    def _end_tls(self) -> None:
        if isinstance(self.sock, ssl.SSLSocket):
            # unwrap() sends our close_notify, then fails because it can't wait for the client's.
            with suppress(OSError):
                self.sock.unwrap()

    def _receive(self) -> NonBlockingSteps[bytes]:
        data = yield from _when_ready(lambda: self.sock.recv(CHUNK_BYTES))
        if not data:
            raise ConnectionResetError
        return data

    def _create_parser(self, head: Head, received: bytes) -> None:
        self.upload = None
        if head.is_upload:
            address = ""
            if self.tls:
                address = self.client_network
            self.upload = Upload(
                self.sock,
                received,
                Caller(address, Trust.STRANGER),
                head.length,
                send_100_continue=head.expects_continue and len(received) == head.size,
            )
        self.parser = get_parser(self.cfg, self.upload or [received], self.client)


def _when_ready(action: Callable[[], T]) -> NonBlockingSteps[T]:
    while True:
        try:
            return action()
        except (BlockingIOError, ssl.SSLWantReadError):
            yield EVENT_READ
        except ssl.SSLWantWriteError:
            yield EVENT_WRITE
