"""The other end of a connection, which says what a PostgreSQL says when it is ill, or is something else altogether."""

import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

ASKS_FOR_TLS = struct.pack("!ii", 8, 80877103)
Manner = Callable[[socket.socket], None]


@contextmanager
def other_end(manner: Manner) -> Iterator[int]:
    """It answers everybody in this manner; gives its port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_answer, args=(listener, manner), daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)


def _answer(listener: socket.socket, manner: Manner) -> None:
    with suppress(OSError):
        while True:
            client, _ = listener.accept()
            with client, suppress(OSError):
                manner(client)


def refusing(sqlstate: str, text: str, severity: str = "FATAL") -> Manner:
    """A PostgreSQL without TLS that lets nobody in, in these words."""

    def manner(client: socket.socket) -> None:
        if client.recv(8) == ASKS_FOR_TLS:
            client.sendall(b"N")
            client.recv(8)
        fields = {"S": severity, "V": "FATAL", "C": sqlstate, "M": text}
        said = (
            b"".join(name.encode() + value.encode() + b"\0" for name, value in fields.items())
            + b"\0"
        )
        client.sendall(b"E" + struct.pack("!i", len(said) + 4) + said)
        client.recv(4096)

    return manner


def saying(answer: bytes) -> Manner:
    """Something else: it says this to whatever comes, and goes away."""

    def manner(client: socket.socket) -> None:
        client.recv(8)
        client.sendall(answer)

    return manner


def keeping_silent(client: socket.socket) -> None:
    """It hears everything, and never says a word."""
    while client.recv(4096):
        pass


def with_certificate(chain: Path, key: Path) -> Manner:
    """A PostgreSQL that speaks TLS 1.3 with this certificate."""

    def manner(client: socket.socket) -> None:
        client.recv(8)
        client.sendall(b"S")
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.minimum_version = ssl.TLSVersion.TLSv1_3
        tls.load_cert_chain(chain, key)
        with tls.wrap_socket(client, server_side=True) as spoken:
            spoken.recv(4096)

    return manner
