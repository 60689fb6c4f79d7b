"""Sockets that send and receive in slices."""

import socket
import ssl
from pathlib import Path

import pytest

from rollbook.server import tls
from rollbook.server.slow_clients.sockets import TLS_RECORD_BYTES, TlsSocket

pytestmark = pytest.mark.without_database


@pytest.mark.parametrize("asked_for", [1, TLS_RECORD_BYTES, 1 << 20])
def test_no_more_than_a_tls_record_is_allocated_for_each_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked_for: int
) -> None:
    sizes = []

    def recv(sock: ssl.SSLSocket, buflen: int, flags: int) -> bytes:
        sizes.append(buflen)
        return b"data"

    monkeypatch.setattr(ssl.SSLSocket, "recv", recv)
    certificate = tls.self_signed_certificate(tmp_path, "localhost")
    context = tls.context(certificate.chain, certificate.key)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        sock = context.wrap_socket(ours, server_side=True, do_handshake_on_connect=False)
        assert isinstance(sock, TlsSocket)
        with sock:
            assert sock.recv(asked_for) == b"data"
    assert sizes == [min(asked_for, TLS_RECORD_BYTES)]
