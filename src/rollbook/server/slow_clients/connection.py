"""One client, from the accepted socket to the last byte it sends; while it is waited for, it holds no thread."""

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
from rollbook.server.slow_clients.body_timeout import ReceiveBudget, Upload
from rollbook.server.slow_clients.error_responses import USE_HTTPS, ResponseSent
from rollbook.server.slow_clients.request_head import Head, read_head
from rollbook.server.slow_clients.sockets import PlainSocket

HEAD_SECONDS = 15.0  # for TLS and the header together
FORETASTE_SECONDS = 15.0  # for the first 64 KiB of the body: 100 kbit/s bring them in 5
LEAVING_SECONDS = 5.0
LEAVING_BYTES = 64 * 1024 * 1024
CHUNK = 64 * 1024

TLS_HANDSHAKE = b"\x16"  # the first byte of every TLS connection

T = TypeVar("T")

# Waiting without a thread: yields what the socket must be ready for to go on (EVENT_READ, EVENT_WRITE), returns what
# it waited for.
NonBlockingSteps: TypeAlias = Generator[int, None, T]


class Connection(TConn):  # type: ignore[misc]
    """A client's connection; its waiting is written as steps that the worker's loop takes when the socket is ready."""

    sock: socket.socket

    def __init__(
        self, cfg: Any, sock: socket.socket, client: Any, server: Any, tls: ssl.SSLContext | None
    ) -> None:
        super().__init__(cfg, PlainSocket(fileno=sock.detach()), client, server)
        self.tls = tls
        self.is_upload = False
        self.ahead = b""  # what the client has sent behind its request: the next one begins with it
        self.initialized = (
            True  # ``arriving`` does what gunicorn's ``init`` would do, without a thread
        )

    @property
    def home(self) -> str:
        """Whom the client is counted as."""
        return client_network(self.client[0])

    def arriving(self) -> NonBlockingSteps[None]:
        """Wait for TLS and for as much of the next request as a thread should find here.

        A small request is waited for whole: its thread never waits for the network. The rest of an upload, and the body
        that a client wants to be asked for, are received while the application reads them.
        """
        self.timeout = time.monotonic() + HEAD_SECONDS
        self.sock.setblocking(False)
        if self.tls and not isinstance(self.sock, ssl.SSLSocket):
            yield from self._begin_tls(self.tls)
        begun = bytearray(self.ahead)
        while (head := read_head(begun)) is None:
            begun += yield from self._received()
        self.timeout = time.monotonic() + FORETASTE_SECONDS
        while len(begun) < head.wanted:
            begun += yield from self._received()
        # gunicorn would go on with all that is here, and take the rest of a body on its way for another request.
        whole = len(begun) if head.is_upload else head.wanted
        self.ahead = bytes(begun[whole:])
        self._expect(head, bytes(begun[:whole]))

    def leaving(self) -> NonBlockingSteps[None]:
        """Say that no more comes, and take what the client is still sending.

        A socket closed on unread bytes resets the connection, and the client may lose the answer it has not read yet:
        the 413 in the middle of its upload.
        """
        self.timeout = time.monotonic() + LEAVING_SECONDS
        self.sock.setblocking(False)
        self._end_tls()
        self.sock.shutdown(socket.SHUT_WR)
        taken = 0
        while taken < LEAVING_BYTES:
            yield EVENT_READ
            data = self.sock.recv(CHUNK)
            if not data:
                return
            taken += len(data)

    def _begin_tls(self, tls: ssl.SSLContext) -> NonBlockingSteps[None]:
        first = yield from _when_ready(lambda: self.sock.recv(1, socket.MSG_PEEK))
        if first and first != TLS_HANDSHAKE:
            raise ResponseSent(USE_HTTPS)
        self.sock = tls.wrap_socket(self.sock, server_side=True, do_handshake_on_connect=False)
        yield from _when_ready(self.sock.do_handshake)

    def _end_tls(self) -> None:
        if isinstance(self.sock, ssl.SSLSocket):
            with suppress(
                OSError
            ):  # it tells the client, and then cannot wait for the client to tell the same
                self.sock.unwrap()

    def _received(self) -> NonBlockingSteps[bytes]:
        data = yield from _when_ready(lambda: self.sock.recv(CHUNK))
        if not data:
            raise ConnectionResetError
        return data

    def _expect(self, head: Head, begun: bytes) -> None:
        """Lay out the request for gunicorn's parser."""
        self.is_upload = head.is_upload
        if head.is_upload:
            invite = head.expects_continue and len(begun) == head.size
            source: Upload | list[bytes] = Upload(
                self.sock, begun, ReceiveBudget(head.length), invite
            )
        else:
            source = [begun]
        self.parser = get_parser(self.cfg, source, self.client)


def _when_ready(act: Callable[[], T]) -> NonBlockingSteps[T]:
    while True:
        try:
            return act()
        except (BlockingIOError, ssl.SSLWantReadError):
            yield EVENT_READ
        except ssl.SSLWantWriteError:
            yield EVENT_WRITE
