"""A fake server that behaves like PostgreSQL with a problem, or like another program."""

import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

ASKS_FOR_TLS = struct.pack("!ii", 8, 80877103)
Behavior = Callable[[socket.socket], None]


@contextmanager
def fake_server(behavior: Behavior) -> Iterator[int]:
    """Serve each client with this behavior, and yield the port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_serve, args=(listener, behavior), daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)


def _serve(listener: socket.socket, behavior: Behavior) -> None:
    with suppress(OSError):
        while True:
            client, _ = listener.accept()
            with client, suppress(OSError):
                behavior(client)


def refusing(sqlstate: str, text: str, severity: str = "FATAL") -> Behavior:
    """Behave like PostgreSQL without TLS that refuses each connection with this error."""

    def behavior(client: socket.socket) -> None:
        if client.recv(8) == ASKS_FOR_TLS:
            client.sendall(b"N")
            client.recv(8)
        fields = {"S": severity, "V": "FATAL", "C": sqlstate, "M": text}
        texts = [name + value + "\0" for name, value in fields.items()]
        message = "".join(texts).encode() + b"\0"
        client.sendall(b"E" + struct.pack("!i", len(message) + 4) + message)
        client.recv(4096)

    return behavior


def sending(answer: bytes) -> Behavior:
    """Behave like another program: send this answer to any request, and close the connection."""

    def behavior(client: socket.socket) -> None:
        client.recv(8)
        client.sendall(answer)

    return behavior


def never_answering(client: socket.socket) -> None:
    """Read everything and never answer."""
    while client.recv(4096):
        pass


def with_certificate(chain: Path, key: Path) -> Behavior:
    """Behave like PostgreSQL that requires TLS 1.3 and has this certificate."""

    def behavior(client: socket.socket) -> None:
        client.recv(8)
        client.sendall(b"S")
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.minimum_version = ssl.TLSVersion.TLSv1_3
        tls.load_cert_chain(chain, key)
        with tls.wrap_socket(client, server_side=True) as encrypted:
            encrypted.recv(4096)

    return behavior
