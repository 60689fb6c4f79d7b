"""``python -m bench.sink CERTIFICATE KEY FILE``: a TLS server that stores one upload, and syncs it.

It is what an upload is compared with: the least that a server in Python has to do. It prints its
port, receives one HTTP request with a Content-Length, writes the body to the file, and answers when
the file is on the disk. It checks nothing else.
"""

import os
import socket
import ssl
import sys
from pathlib import Path

_BLOCK_BYTES = 1 << 16
_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nOK\n"


def main(certificate: str, key: str, file: str) -> int:
    """Receive one request."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with socket.create_server(("localhost", 0)) as listener:
        print(listener.getsockname()[1], flush=True)
        client, _ = listener.accept()
        with context.wrap_socket(client, server_side=True) as connection:
            _receive(connection, Path(file))
            connection.sendall(_ANSWER)
    return 0


def _receive(connection: ssl.SSLSocket, path: Path) -> None:
    head = b""
    while b"\r\n\r\n" not in head:
        head += connection.recv(_BLOCK_BYTES)
    head, _, body = head.partition(b"\r\n\r\n")
    fields = dict(line.lower().split(b":", 1) for line in head.split(b"\r\n")[1:])
    if b"100-continue" in fields.get(b"expect", b""):
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
    left = int(fields[b"content-length"]) - len(body)
    buffer = memoryview(bytearray(_BLOCK_BYTES))
    with path.open("wb") as file:
        file.write(body)
        while left:
            received = connection.recv_into(buffer)
            if not received:
                raise EOFError("the client has gone")
            file.write(buffer[:received])
            left -= received
        file.flush()
        os.fsync(file.fileno())


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
