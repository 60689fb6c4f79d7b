"""The listening socket, opened once by the supervisor and inherited by every web server."""

import errno
import os
import socket
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rollbook.server.gunicorn_app import Address, Endpoint, UnixSocket

BACKLOG = 1024
ONLY_OWNER_AND_GROUP = 0o117  # as a umask, so the mode is 660
ADDRESS_TIMEOUT_S = 3.0  # child processes of a killed supervisor may still hold the port


class ListenError(Exception):
    """We can't listen on the address; the text says why and how to fix it."""


@contextmanager
def listening(address: Endpoint) -> Iterator[socket.socket]:
    """Listen on the address; at the end, close the socket and remove its path if it has one.

    Raises:
        ListenError: The address is in use, or isn't available on this machine.
    """
    opener = os.getpid()
    with listen(address) as listener:
        try:
            yield listener
        finally:
            # A process that gunicorn has forked comes here too when it ends.
            if isinstance(address, UnixSocket) and os.getpid() == opener:
                address.path.unlink(missing_ok=True)


def listen(address: Endpoint) -> socket.socket:
    """Return a socket that listens on the address; port 0 uses a free port.

    Raises:
        ListenError: The address is in use, or isn't available on this machine.
    """
    if isinstance(address, UnixSocket):
        return _listen_on_path(address.path)
    deadline = time.monotonic() + ADDRESS_TIMEOUT_S
    while True:
        try:
            return _listen(address)
        except OSError as error:
            if error.errno != errno.EADDRINUSE or time.monotonic() > deadline:
                raise ListenError(_advice(error, address)) from None
            time.sleep(0.1)


def _listen(address: Address) -> socket.socket:
    is_wildcard = address.host == "::" and socket.has_dualstack_ipv6()
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    return socket.create_server(
        (address.host, address.port), family=family, backlog=BACKLOG, dualstack_ipv6=is_wildcard
    )


def _listen_on_path(path: Path) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX)
    try:
        _remove_unused(path)
        umask = os.umask(ONLY_OWNER_AND_GROUP)
        try:
            listener.bind(str(path))
        finally:
            os.umask(umask)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise ListenError(
            f"cannot create the Unix socket {path}: {error.strerror or error}; name another path "
            "with --socket, in a folder that this account can write"
        ) from None
    return listener


def _remove_unused(path: Path) -> None:
    """Remove the path of a socket that a killed server has left."""
    if not path.exists():
        return
    if not stat.S_ISSOCK(path.stat().st_mode):
        raise ListenError(f"{path} is a file and not a socket; name another path with --socket")
    with socket.socket(socket.AF_UNIX) as client:
        try:
            client.connect(str(path))
        except ConnectionRefusedError:
            path.unlink()
        else:
            raise ListenError(
                f"another program listens on {path}; stop it, or name another path with --socket"
            )


def _advice(error: OSError, address: Address) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"port {address.port} is in use by another program; "
            "stop that program, or choose another port with --port"
        )
    if error.errno == errno.EACCES:
        return (
            f"this user doesn't have permission to use port {address.port}; "
            "choose a port from 1024 on with --port"
        )
    if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
        return (
            f"{address.host} is not an address of this machine; "
            "use localhost, 0.0.0.0 or one of its addresses with --host"
        )
    return f"cannot listen on {address}: {error.strerror}"
