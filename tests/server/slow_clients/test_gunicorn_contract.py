"""gunicorn's internals that ``server/slow_clients`` relies on exist and behave as it expects.

If a new version of gunicorn fails here, adapt ``worker.py`` and ``connection.py`` before you raise
the upper bound in ``pyproject.toml``.
"""

import inspect
import logging
import re
import socket
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from selectors import EVENT_READ, DefaultSelector
from typing import Any

import pytest
from gunicorn.arbiter import Arbiter  # type: ignore[import-untyped]
from gunicorn.config import Config  # type: ignore[import-untyped]
from gunicorn.glogging import Logger  # type: ignore[import-untyped]
from gunicorn.http import errors, get_parser, wsgi  # type: ignore[import-untyped]
from gunicorn.workers.gthread import TConn, ThreadWorker  # type: ignore[import-untyped]

import rollbook
from rollbook.server.slow_clients.response import Response
from rollbook.server.slow_clients.worker import ERROR_RESPONSES, SlowClientWorker

SOURCES = Path(rollbook.__file__).parent
SLOW_CLIENTS = SOURCES / "server" / "slow_clients"
CLIENT = ("192.0.2.7", 50_000)
GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n"

PUBLIC = {"gunicorn.app.base", "gunicorn.glogging"}  # documented for applications of their own


def parameters(function: Callable[..., Any]) -> list[str]:
    return list(inspect.signature(function).parameters)


@pytest.fixture
def sockets() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


@pytest.fixture
def worker() -> ThreadWorker:
    return ThreadWorker(0, 0, [], object(), 30, Config(), logging.getLogger("gunicorn.error"))


def test_only_this_package_uses_internals() -> None:
    imports = re.compile(r"^\s*(?:from|import) (gunicorn[.\w]*)", re.MULTILINE)
    modules = set()
    for path in SOURCES.rglob("*.py"):
        if not path.is_relative_to(SLOW_CLIENTS):
            modules.update(imports.findall(path.read_text()))
    assert modules == PUBLIC


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        ("init_process", ["self"]),
        ("accept", ["self", "listener"]),
        ("on_client_socket_readable", ["self", "conn", "client"]),
        ("enqueue_req", ["self", "conn"]),
        ("finish_request", ["self", "conn", "fs"]),
        ("murder_pending", ["self"]),
        ("_cap_keepalive", ["self", "deadline"]),
        ("init_signals", ["self"]),
        ("handle", ["self", "conn"]),
        ("handle_request", ["self", "req", "conn"]),
        ("handle_error", ["self", "req", "client", "addr", "exc"]),
    ],
)
def test_the_worker_has_the_methods_that_we_call_or_override(
    method: str, expected: list[str]
) -> None:
    assert parameters(getattr(ThreadWorker, method)) == expected


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        ("handle_hup", ["self"]),
        ("murder_workers", ["self"]),
        ("kill_workers", ["self", "sig"]),
        ("run", ["self"]),
    ],
)
def test_the_arbiter_has_the_methods_that_we_call_or_override(
    method: str, expected: list[str]
) -> None:
    assert parameters(getattr(Arbiter, method)) == expected


def test_the_loop_of_the_arbiter_looks_for_frozen_workers_each_second() -> None:
    loop = inspect.getsource(Arbiter.run).partition("while True:")[2]
    assert "wait_for_signals(timeout=1.0)" in loop
    assert "self.murder_workers()" in loop


def test_our_methods_take_as_many_arguments_as_those_they_override() -> None:
    for name, function in vars(SlowClientWorker).items():
        overridden = getattr(ThreadWorker, name, None)
        if inspect.isfunction(function) and overridden and name != "__init__":
            assert len(parameters(function)) == len(parameters(overridden)), name


def test_the_worker_has_the_attributes_that_we_use(worker: ThreadWorker) -> None:
    assert worker.sockets == []
    assert worker.alive is True
    assert worker.nr_conns == 0
    assert worker.worker_connections == worker.cfg.worker_connections
    assert isinstance(worker.keepalived_conns, deque)
    assert parameters(worker.method_queue.defer) == ["callback", "args"]
    assert isinstance(worker.get_thread_pool(), ThreadPoolExecutor)
    assert worker.log is logging.getLogger("gunicorn.error")


@pytest.mark.parametrize(
    "call",
    [
        "self.accept)",
        "self.on_client_socket_readable, conn",
        "self.murder_pending()",
        "self._cap_keepalive(",
        "callback(key.fileobj)",
        "self.handle_request(req, conn)",
        "self.handle_error(req, conn.sock, conn.client, e)",
    ],
)
def test_the_worker_calls_what_we_override(call: str) -> None:
    assert call in inspect.getsource(ThreadWorker)


def test_a_deferred_callback_runs_in_the_event_loop(worker: ThreadWorker) -> None:
    calls: list[int] = []
    worker.method_queue.init()
    worker.method_queue.defer(calls.append, 1)
    worker.method_queue.run_callbacks(None)
    worker.method_queue.close()
    assert calls == [1]


def test_a_kept_alive_connection_is_registered_for_reading(
    worker: ThreadWorker, sockets: tuple[socket.socket, socket.socket]
) -> None:
    conn = TConn(worker.cfg, sockets[0], CLIENT, None)
    conn.parser = get_parser(worker.cfg, [b""], CLIENT)
    future: Future[bool] = Future()
    future.set_result(True)
    with DefaultSelector() as poller:
        worker.poller = poller
        worker.finish_request(conn, future)
        assert poller.get_key(conn.sock).events == EVENT_READ
    assert list(worker.keepalived_conns) == [conn]
    assert conn.timeout > time.monotonic()


def test_an_initialized_connection_is_not_initialized_again(
    sockets: tuple[socket.socket, socket.socket],
) -> None:
    conn = TConn(Config(), sockets[0], CLIENT, ("127.0.0.1", 8443))
    assert (conn.client, conn.parser, conn.is_http2) == (CLIENT, None, False)
    conn.initialized = True
    conn.init()
    assert conn.parser is None
    conn.close()
    assert sockets[0].fileno() == -1


def test_the_parser_reads_from_a_list_of_bytes() -> None:
    request = next(get_parser(Config(), [GET], CLIENT))
    assert (request.method, request.path) == ("GET", "/")


def test_the_parser_reads_from_a_source_with_recv_after_the_application_asks() -> None:
    class Source:
        def __init__(self) -> None:
            self.parts = [POST, b"hello"]

        def recv(self, size: int) -> bytes:
            return self.parts.pop(0) if self.parts else b""

    source = Source()
    request = next(get_parser(Config(), source, CLIENT))
    assert source.parts == [b"hello"]
    assert request._expected_100_continue is True
    assert request.body.read() == b"hello"


def test_a_request_can_be_made_the_last_of_its_connection() -> None:
    request = next(get_parser(Config(), [GET], CLIENT))
    assert not request.should_close()
    request.force_close()
    assert request.should_close()


def test_the_errors_that_we_answer_are_exceptions_of_gunicorn() -> None:
    assert all(issubclass(kind, Exception) for kind in ERROR_RESPONSES)
    assert {kind.__module__ for kind in ERROR_RESPONSES} == {errors.__name__}
    # The first matching class decides, so the general one must come last.
    assert list(ERROR_RESPONSES)[-1] is errors.ParseException


def test_the_lines_before_the_headers_of_the_application_name_no_program() -> None:
    request = next(get_parser(Config(), [GET], CLIENT))
    before = wsgi.Response(request, None, Config())
    before.status, before.status_code = "200 OK", 200
    after = Response(request, None, Config())
    after.status, after.status_code = "200 OK", 200
    names = [line.partition(":")[0] for line in before.default_headers()[1:]]
    assert names == ["Server", "Date", "Connection"]
    assert [line.partition(":")[0] for line in after.default_headers()[1:]] == names[1:]
    assert "response_class = Response" in inspect.getsource(wsgi.create)


def test_the_logger_has_the_error_log_that_we_redirect() -> None:
    assert parameters(Logger.setup) == ["self", "cfg"]
    assert isinstance(Logger(Config()).error_log, logging.Logger)
