"""The listening socket, opened once by the supervisor and inherited by every web server."""

import errno
import socket
import time

from rollbook.server.gunicorn_app import Address

BACKLOG = 1024
ADDRESS_TIMEOUT_S = 3.0  # child processes of a killed supervisor may still hold the port


class ListenError(Exception):
    """We can't listen on the address; the text says why and how to fix it."""


def listen(address: Address) -> socket.socket:
    """Return a socket that listens on the address; port 0 uses a free port.

    Raises:
        ListenError: The address is in use, or isn't available on this machine.
    """
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
