"""gunicorn's threaded worker, except that only complete requests and uploads occupy a thread.

::

    accept ─► read_request ─► a thread ─► kept alive ─► read_request …
                                 └──────► drain ─► closed

The worker's event loop waits for clients. Complete requests and uploads have separate threads, so
status and cancel are answered no matter how many uploads there are and how slow they are.
"""

import logging
import signal
import socket
import ssl
import time
from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from gunicorn.http import errors  # type: ignore[import-untyped]
from gunicorn.workers.gthread import ThreadWorker  # type: ignore[import-untyped]

from rollbook.operations.alerts import certificate
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
from rollbook.server.slow_clients.response import hide_program
from rollbook.server.slow_clients.sockets import SEND_BUFFER_BYTES
from rollbook.web.http.upload_slots import SLOTS, admit

# In addition to the ``threads`` of gunicorn's settings. A request has a thread before it is known
# whether it gets a slot, so there are more of them; those that get none are answered right away.
UPLOAD_THREADS = SLOTS + 16
UPLOAD_THREADS_PER_CLIENT = 20  # so one client's slow uploads leave threads for other clients

log = logging.getLogger(__name__)

ERROR_RESPONSES: dict[type[Exception], ErrorResponse] = {
    errors.LimitRequestLine: ADDRESS_TOO_LONG,
    errors.LimitRequestHeaders: HEADER_TOO_LARGE,
    errors.ExpectationFailed: UNKNOWN_EXPECTATION,
    errors.UnsupportedTransferCoding: UNKNOWN_CODING,
    errors.InvalidResponseHeader: INTERNAL_ERROR,
    errors.InvalidResponseHeaderName: INTERNAL_ERROR,
    errors.ParseException: BAD_REQUEST,
}


class SlowClientWorker(ThreadWorker):  # type: ignore[misc]
    """The worker process of the web server.

    Attributes:
        tls: The TLS settings; None where a proxy terminates TLS.
        upload_threads: The threads for uploads.
        uploads_by_client: How many uploads are being received from each client network.
        waiting: The connections we wait for, with their steps.
    """

    tls: ssl.SSLContext | None = None

    def init_process(self) -> None:
        """Serve in the process that gunicorn has just forked; return when it is stopped."""
        parent_watch.watch()
        if self.cfg.is_ssl:
            self.tls = tls.context(self.cfg.certfile, self.cfg.keyfile)
            certificate.set_served_until(tls.valid_until(Path(self.cfg.certfile)))
        for listener in self.sockets:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
        hide_program()
        self.upload_threads = ThreadPoolExecutor(UPLOAD_THREADS)
        self.uploads_by_client: Counter[str] = Counter()
        self.waiting: dict[Connection, NonBlockingSteps[None]] = {}
        super().init_process()

    def init_signals(self) -> None:
        """Handle SIGHUP, too; requests that are being received are not interrupted."""
        super().init_signals()
        signal.signal(signal.SIGHUP, self.handle_hup)
        signal.siginterrupt(signal.SIGHUP, False)  # noqa: FBT003 - has no name

    def handle_hup(self, number: int, frame: object) -> None:
        """Have the event loop reload the certificate."""
        self.method_queue.defer(self.reload_certificate)

    # Called by gunicorn's event loop

    def reload_certificate(self) -> None:
        """Use the present content of the certificate's files for connections from now on."""
        if self.tls is None:
            return
        files = tls.Certificate(Path(self.cfg.certfile), Path(self.cfg.keyfile))
        try:
            self.tls = tls.renewed_context(files)
        except tls.CertificateProblem as problem:
            log.error("the certificate is not reloaded, so the previous one stays: %s", problem)
        else:
            until = tls.valid_until(files.chain)
            certificate.set_served_until(until)
            log.info("certificate reloaded, valid until %s", until.date())

    def accept(self, listener: socket.socket) -> None:
        """Accept a new connection."""
        try:
            sock, address = listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        if self.nr_conns >= self.worker_connections - 1:
            self._evict_oldest()
        self.nr_conns += 1
        self._receive(Connection(self.cfg, sock, address, listener.getsockname(), self.tls))

    def on_client_socket_readable(self, conn: Connection, sock: socket.socket) -> None:
        """Receive the next request on a connection that was kept alive."""
        self.poller.unregister(sock)
        self.keepalived_conns.remove(conn)
        self._receive(conn)

    def enqueue_req(self, conn: Connection) -> None:
        """Have a thread handle a request that was received."""
        threads: ThreadPoolExecutor = self.tpool
        if conn.upload:
            if self._has_too_many_uploads(conn):
                self._respond(conn, TOO_MANY_UPLOADS)
                return
            threads = self.upload_threads
            self.uploads_by_client[conn.client_network] += 1
        threads.submit(self.handle, conn).add_done_callback(
            lambda future: self.method_queue.defer(self.finish_request, conn, future)
        )

    def _has_too_many_uploads(self, conn: Connection) -> bool:
        # Behind a proxy all clients have its address, and the proxy waits for the slow ones.
        if not self.tls:
            return False
        return self.uploads_by_client[conn.client_network] >= UPLOAD_THREADS_PER_CLIENT

    def finish_request(self, conn: Connection, future: "Future[bool]") -> None:
        """Wait for the client's next request, or close the connection, after the response."""
        if conn.upload:
            self.uploads_by_client[conn.client_network] -= 1
            self.uploads_by_client = +self.uploads_by_client  # removes clients without uploads
        if future.cancelled() or not future.result() or not self.alive:
            self._wait(conn, conn.drain(), self._drop)
        elif conn.leftover:
            self._receive(conn)
        else:
            super().finish_request(conn, future)

    def murder_pending(self) -> None:
        """Close the connections whose timeout has passed."""
        now = time.monotonic()
        for conn in [conn for conn in self.waiting if conn.timeout < now]:
            self._time_out(conn)

    def _cap_keepalive(self, deadline: float) -> None:
        """Limit how long connections may still take to send a request while the worker stops."""
        super()._cap_keepalive(deadline)
        for conn in self.waiting:
            conn.timeout = min(conn.timeout, deadline)

    # Called by its threads

    def handle_request(self, req: Any, conn: Connection) -> bool:
        """Have the application respond."""
        # gunicorn would send "100 Continue" before the application has seen the header; Upload
        # sends it when the body is read.
        req._expected_100_continue = False  # noqa: SLF001 - see the contract test
        if conn.upload is None:
            return bool(super().handle_request(req, conn))
        # The response may be sent before the end of the body; no request can follow then.
        req.force_close()
        token = admit.set(conn.upload.admit)
        try:
            return bool(super().handle_request(req, conn))
        finally:
            admit.reset(token)
            conn.upload.release()

    def handle_error(self, req: Any, client: socket.socket, addr: Any, exc: Exception) -> None:
        """Respond to a request that never reached the application, or that made it fail."""
        if isinstance(exc, ssl.SSLError):
            return
        answer = _error_response(exc)
        if answer is INTERNAL_ERROR:
            self.log.exception("the request could not be answered")
        with suppress(OSError):
            client.sendall(answer.encoded())

    # Waiting

    def _receive(self, conn: Connection) -> None:
        self._wait(conn, conn.read_request(), self.enqueue_req)

    def _wait(self, conn: Connection, steps: NonBlockingSteps[None], then: Any) -> None:
        """Take the next step of a connection; call ``then`` after the last one."""
        try:
            event = next(steps)
        except StopIteration:
            then(conn)
        except ResponseSent as error:
            self._respond(conn, error.response)
        except OSError:
            self._drop(conn)
        else:
            self.waiting[conn] = steps
            self.poller.register(conn.sock, event, partial(self._resume, conn, steps, then))

    def _resume(
        self, conn: Connection, steps: NonBlockingSteps[None], then: Any, sock: socket.socket
    ) -> None:
        self.poller.unregister(sock)
        del self.waiting[conn]
        self._wait(conn, steps, then)

    def _respond(self, conn: Connection, response: ErrorResponse) -> None:
        with suppress(OSError):
            conn.sock.send(response.encoded())
        self._wait(conn, conn.drain(), self._drop)

    def _evict_oldest(self) -> None:
        """Close the connection nearest its timeout, so that idle ones can't block new clients."""
        if self.waiting:
            self._time_out(min(self.waiting, key=lambda conn: conn.timeout))

    def _time_out(self, conn: Connection) -> None:
        self.poller.unregister(conn.sock)
        del self.waiting[conn]
        self._drop(conn)

    def _drop(self, conn: Connection) -> None:
        self.nr_conns -= 1
        conn.close()


def _error_response(error: Exception) -> ErrorResponse:
    for kind, response in ERROR_RESPONSES.items():
        if isinstance(error, kind):
            return response
    return INTERNAL_ERROR
