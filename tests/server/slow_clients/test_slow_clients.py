"""Clients that are too slow are disconnected, and other clients are served meanwhile."""

import socket
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, suppress
from pathlib import Path

import pytest

from rollbook.server.slow_clients import worker
from tests.often import often
from tests.server.conftest import Server
from tests.server.slow_clients.test_connection import UPLOAD, receive_all

pytestmark = [pytest.mark.process, pytest.mark.without_database]

Opener = Callable[[Server], socket.socket]
HEAD = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n"


def silent(server: Server) -> socket.socket:
    return server.connect()


def slow_handshake(server: Server) -> socket.socket:
    client = server.connect()
    client.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")  # part of a ClientHello
    return client


def slow_header(server: Server) -> socket.socket:
    client = server.connect_tls()
    client.sendall(HEAD)
    return client


def slow_small_body(server: Server) -> socket.socket:
    client = server.connect_tls()
    client.sendall(UPLOAD.replace(b"1000000", b"5000") + b"\r\n")
    return client


def slow_upload(server: Server) -> socket.socket:
    client = server.connect_tls()
    client.sendall(UPLOAD + b"\r\n" + bytes(70_000))
    return client


def slow_with_expect(server: Server) -> socket.socket:
    client = server.connect_tls()
    client.sendall(UPLOAD + b"Expect: 100-continue\r\n\r\n")
    return client


DRIPPING = [slow_handshake, slow_header, slow_small_body, slow_upload, slow_with_expect]


def dripping(clients: list[socket.socket]) -> AbstractContextManager[None]:
    """Have each client send a byte every half second."""

    def drip() -> None:
        for client in clients:
            try:
                client.send(b"x")
            except OSError:
                clients.remove(client)

    return often(drip, 0.5)


def seconds_for_healthz(server: Server) -> float:
    started_at = time.monotonic()
    assert server.curl("/healthz").endswith("\n200")
    return time.monotonic() - started_at


@pytest.mark.statement("S33")
@pytest.mark.parametrize("opener", DRIPPING)
def test_sixty_slow_clients_do_not_block_others(server: Server, opener: Opener) -> None:
    with ExitStack() as stack:
        clients = [stack.enter_context(opener(server)) for _ in range(60)]
        with dripping(list(clients)):
            assert max(seconds_for_healthz(server) for _ in range(5)) < 1.0


def test_slow_uploads_of_one_client_do_not_block_those_of_others(
    server: Server, tmp_path: Path
) -> None:
    file = tmp_path / "students.csv"
    file.write_bytes(bytes(250_000))
    with ExitStack() as stack:
        clients = [stack.enter_context(slow_upload(server)) for _ in range(60)]
        output = server.curl(
            "/upload", "--interface", "127.0.1.2", "--data-binary", f"@{file}", host="127.0.0.1"
        )
        assert output == "OK 250000 of 250000\n\n200"
        refusal = receive_all(clients[-1]).decode()
    assert refusal.startswith("HTTP/1.1 429 ")
    assert "ERROR too_many_uploads" in refusal


def test_a_client_can_upload_again_after_its_uploads_have_ended(
    server: Server, tmp_path: Path
) -> None:
    file = tmp_path / "students.csv"
    file.write_bytes(bytes(70_000))
    output = {
        server.curl("/upload", "--data-binary", f"@{file}")
        for _ in range(worker.UPLOAD_THREADS_PER_CLIENT + 1)
    }
    assert output == {"OK 70000 of 70000\n\n200"}


def test_clients_that_do_not_read_the_response_do_not_block_others_for_long(hasty: Server) -> None:
    with ExitStack() as stack:
        for _ in range(40):
            client = stack.enter_context(hasty.connect_tls())
            client.sendall(HEAD.replace(b"/healthz", b"/large") + b"\r\n")
        assert seconds_for_healthz(hasty) < 10.0


@pytest.mark.statement("S33")
def test_more_idle_clients_than_connections_do_not_block_others(server: Server) -> None:
    with ExitStack() as stack:
        for _ in range(600):
            stack.enter_context(silent(server))
        assert max(seconds_for_healthz(server) for _ in range(5)) < 1.0


@pytest.mark.statement("S33")
@pytest.mark.parametrize("opener", [slow_handshake, slow_header, slow_small_body])
def test_a_request_that_is_too_slow_is_disconnected(hasty: Server, opener: Opener) -> None:
    started_at = time.monotonic()
    with opener(hasty) as client, dripping([client]), suppress(ConnectionResetError):
        assert receive_all(client) == b""
    assert 1.0 < time.monotonic() - started_at < 6.0


def test_a_silent_client_is_disconnected(hasty: Server) -> None:
    with silent(hasty) as client:
        assert receive_all(client) == b""


@pytest.mark.statement("S33")
def test_a_dripping_upload_is_disconnected_and_the_application_gets_an_error(hasty: Server) -> None:
    started_at = time.monotonic()
    with slow_upload(hasty) as client, dripping([client]):
        assert receive_all(client).endswith(b"ERROR TooSlow\n")
    assert 1.0 < time.monotonic() - started_at < 6.0


def test_an_upload_over_a_slow_link_arrives(hasty: Server, tmp_path: Path) -> None:
    file = tmp_path / "students.csv"
    file.write_bytes(bytes(250_000))
    started_at = time.monotonic()
    output = hasty.curl("/upload", "--limit-rate", "50k", "--data-binary", f"@{file}")
    assert output == "OK 250000 of 250000\n\n200"
    assert time.monotonic() - started_at > 2.5
