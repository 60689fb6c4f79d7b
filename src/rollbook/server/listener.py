"""The socket that clients come to, opened once by the supervisor and inherited by every web server it starts."""

import errno
import socket
import time

from rollbook.server.gunicorn_app import Address

BACKLOG = 1024
PATIENCE = (
    3.0  # seconds: the children of a supervisor that was killed may still be letting go of the port
)


class ListenError(Exception):
    """The address cannot be had; the text says why and what to do."""


def listen(address: Address) -> socket.socket:
    """A socket that listens on the address; port 0 takes a free one."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return _listen(address)
        except OSError as error:
            if error.errno != errno.EADDRINUSE or time.monotonic() > deadline:
                raise ListenError(_advice(error, address)) from None
            time.sleep(0.1)


def _listen(address: Address) -> socket.socket:
    everywhere = address.host == "::" and socket.has_dualstack_ipv6()
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    return socket.create_server(
        (address.host, address.port), family=family, backlog=BACKLOG, dualstack_ipv6=everywhere
    )


def _advice(error: OSError, address: Address) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {address.port} is in use by another program; stop it, or choose another with --port"
    if error.errno == errno.EACCES:
        return f"port {address.port} needs rights this user does not have; choose one from 1024 on with --port"
    if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
        return f"{address.host} is not an address of this machine; use localhost, 0.0.0.0 or one of its own with --host"
    return f"cannot listen on {address}: {error.strerror}"
