"""gunicorn's threaded worker, with a reception: clients are waited for in its loop, and only requests get a thread.

::

    accept ─► arriving ─► a thread ─► kept alive ─► arriving …
                             └──────► leaving ─► closed

Requests that are here whole and uploads have threads of their own, so that status and cancel answer however many
uploads there are and however slowly they come.
"""

import socket
import ssl
import time
from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Any

from gunicorn.http import errors  # type: ignore[import-untyped]
from gunicorn.workers.gthread import ThreadWorker  # type: ignore[import-untyped]

from rollbook.server import parent_watch, tls
from rollbook.server.slow_clients.connection import Connection, NonBlockingSteps
from rollbook.server.slow_clients.error_responses import (
    ADDRESS_TOO_LONG,
    BAD_REQUEST,
    HEADER_TOO_LARGE,
    INTERNAL_ERROR,
    TOO_MANY_UPLOADS,
    UNKNOWN_CODING,
    UNKNOWN_EXPECTATION,
    ErrorResponse,
    ResponseSent,
)
from rollbook.server.slow_clients.sockets import SEND_BUFFER_BYTES

UPLOAD_THREADS = 32  # threads for uploads, besides the ``threads`` of gunicorn's settings
UPLOAD_THREADS_PER_CLIENT = (
    20  # of them for one client at a time: however slowly it sends, it keeps none from the others
)

ANSWERS: dict[type[Exception], ErrorResponse] = {
    errors.LimitRequestLine: ADDRESS_TOO_LONG,
    errors.LimitRequestHeaders: HEADER_TOO_LARGE,
    errors.ExpectationFailed: UNKNOWN_EXPECTATION,
    errors.UnsupportedTransferCoding: UNKNOWN_CODING,
    errors.InvalidResponseHeader: INTERNAL_ERROR,
    errors.InvalidResponseHeaderName: INTERNAL_ERROR,
    errors.ParseException: BAD_REQUEST,
}


class SlowClientWorker(ThreadWorker):  # type: ignore[misc]
    """The worker process of the web server."""

    tls: ssl.SSLContext | None = None

    def init_process(self) -> None:
        """Begin to serve, in the process that gunicorn has just forked; returns when it is told to stop."""
        parent_watch.watch()
        if self.cfg.is_ssl:
            self.tls = tls.context(self.cfg.certfile, self.cfg.keyfile)
        for listener in self.sockets:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
        self.uploads = ThreadPoolExecutor(UPLOAD_THREADS)
        self.uploading: Counter[str] = Counter()
        self.waiting: dict[Connection, NonBlockingSteps[None]] = {}
        super().init_process()

    # What gunicorn's loop calls

    def accept(self, listener: socket.socket) -> None:
        """A client wants to come in."""
        try:
            sock, address = listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        if self.nr_conns >= self.worker_connections - 1:
            self._make_room()
        self.nr_conns += 1
        self._receive(Connection(self.cfg, sock, address, listener.getsockname(), self.tls))

    def on_client_socket_readable(self, conn: Connection, sock: socket.socket) -> None:
        """A client that was kept alive begins another request."""
        self.poller.unregister(sock)
        self.keepalived_conns.remove(conn)
        self._receive(conn)

    def enqueue_req(self, conn: Connection) -> None:
        """Give a request that has arrived to a thread."""
        threads: ThreadPoolExecutor = self.uploads if conn.is_upload else self.tpool
        if conn.is_upload:
            # Behind a proxy all clients have its address, and it is the proxy that waits for the slow ones.
            if self.tls and self.uploading[conn.home] >= UPLOAD_THREADS_PER_CLIENT:
                self._answer(conn, TOO_MANY_UPLOADS)
                return
            self.uploading[conn.home] += 1
        threads.submit(self.handle, conn).add_done_callback(
            lambda future: self.method_queue.defer(self.finish_request, conn, future)
        )

    def finish_request(self, conn: Connection, future: "Future[bool]") -> None:
        """The answer is sent: wait for the client's next request, or part from it."""
        if conn.is_upload:
            self.uploading[conn.home] -= 1
            self.uploading = +self.uploading  # clients that send nothing are forgotten
        if future.cancelled() or not future.result() or not self.alive:
            self._wait(conn, conn.leaving(), self._drop)
        elif conn.ahead:
            self._receive(conn)
        else:
            super().finish_request(conn, future)

    def murder_pending(self) -> None:
        """Part from those who have been waited for long enough."""
        now = time.monotonic()
        for conn in [conn for conn in self.waiting if conn.timeout < now]:
            self._give_up(conn)

    def _cap_keepalive(self, deadline: float) -> None:
        """The worker is stopping: nobody who has not sent a request by then is waited for."""
        super()._cap_keepalive(deadline)
        for conn in self.waiting:
            conn.timeout = min(conn.timeout, deadline)

    # What its threads call

    def handle_request(self, req: Any, conn: Connection) -> bool:
        """Let the application answer."""
        # gunicorn would ask for the body before the application has seen the header; Upload does it when it is read.
        req._expected_100_continue = False
        if conn.is_upload:
            # An answer may come before the end of the body, and then no other request can follow it.
            req.force_close()
        return bool(super().handle_request(req, conn))

    def handle_error(self, req: Any, client: socket.socket, addr: Any, exc: Exception) -> None:
        """Answer a request that the application never got, or could not answer."""
        if isinstance(exc, ssl.SSLError):
            return
        answer = next(
            (answer for kind, answer in ANSWERS.items() if isinstance(exc, kind)), INTERNAL_ERROR
        )
        if answer is INTERNAL_ERROR:
            self.log.exception("the server could not answer")
        with suppress(OSError):
            client.sendall(answer.encoded())

    # Waiting

    def _receive(self, conn: Connection) -> None:
        self._wait(conn, conn.arriving(), self.enqueue_req)

    def _wait(self, conn: Connection, steps: NonBlockingSteps[None], then: Any) -> None:
        """Take the next step of a connection; ``then`` follows the last."""
        try:
            event = next(steps)
        except StopIteration:
            then(conn)
        except ResponseSent as answered:
            self._answer(conn, answered.answer)
        except OSError:
            self._drop(conn)
        else:
            self.waiting[conn] = steps
            self.poller.register(conn.sock, event, partial(self._go_on, conn, steps, then))

    def _go_on(
        self, conn: Connection, steps: NonBlockingSteps[None], then: Any, sock: socket.socket
    ) -> None:
        self.poller.unregister(sock)
        del self.waiting[conn]
        self._wait(conn, steps, then)

    def _answer(self, conn: Connection, answer: ErrorResponse) -> None:
        with suppress(OSError):
            conn.sock.send(answer.encoded())
        self._wait(conn, conn.leaving(), self._drop)

    def _make_room(self) -> None:
        """With every place taken, the one who has kept us waiting longest goes: a flood of idlers locks nobody out."""
        if self.waiting:
            self._give_up(min(self.waiting, key=lambda conn: conn.timeout))

    def _give_up(self, conn: Connection) -> None:
        self.poller.unregister(conn.sock)
        del self.waiting[conn]
        self._drop(conn)

    def _drop(self, conn: Connection) -> None:
        self.nr_conns -= 1
        conn.close()
