"""Checks over HTTP whether Rollbook is ready, like any other client."""

import http.client
import json
import socket
import ssl
from pathlib import Path

from rollbook.server.gunicorn_app import Address, Endpoint
from rollbook.version import describe

TIMEOUT_S = 3.0  # /healthz waits up to 2 s for another writer of the database
DISK_FULL = "disk"  # the code of the only fault with which a server is ready
WILDCARD_HOSTS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared only


def is_ready(address: Endpoint, *, behind_proxy: bool) -> bool:
    """Return whether ``/healthz`` answers 200, or reports only that the disk is nearly full.

    A server on such a disk answers: uploads are refused with the reason, and updates wait.
    """
    headers = {"User-Agent": f"Rollbook {describe()}", "Accept": "application/json"}
    if behind_proxy:
        headers["X-Forwarded-Proto"] = "https"
    if isinstance(address, Address):
        connection = _connection(address, behind_proxy=behind_proxy)
    else:
        connection = _UnixConnection(address.path)
    try:
        connection.request("GET", "/healthz", headers=headers)
        faults = json.loads(connection.getresponse().read())["faults"]
    except (OSError, http.client.HTTPException, ValueError, KeyError):
        return False
    finally:
        connection.close()
    return all(fault["code"] == DISK_FULL for fault in faults)


class _UnixConnection(http.client.HTTPConnection):
    """A connection by a Unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=TIMEOUT_S)
        self.path = path

    def connect(self) -> None:
        """Connect to the socket at the path."""
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(TIMEOUT_S)
        self.sock.connect(str(self.path))


def _connection(address: Address, *, behind_proxy: bool) -> http.client.HTTPConnection:
    host = WILDCARD_HOSTS.get(address.host, address.host)
    if behind_proxy:
        return http.client.HTTPConnection(host, address.port, timeout=TIMEOUT_S)
    # The certificate isn't verified: the listening socket is ours, and the operator's certificate
    # may be only for the public name of this machine.
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    tls.check_hostname = False
    tls.verify_mode = ssl.CERT_NONE
    return http.client.HTTPSConnection(host, address.port, timeout=TIMEOUT_S, context=tls)
