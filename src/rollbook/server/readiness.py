"""Checks over HTTP whether Rollbook is ready, like any other client."""

import http.client
import ssl

from rollbook.server.gunicorn_app import Address

TIMEOUT_S = 3.0  # /healthz waits up to 2 s for another writer of the database
WILDCARD_HOSTS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared only


def is_ready(address: Address, *, behind_proxy: bool) -> bool:
    """Return whether ``/healthz`` answers 200."""
    headers = {"X-Forwarded-Proto": "https"} if behind_proxy else {}
    connection = _connection(address, behind_proxy=behind_proxy)
    try:
        connection.request("GET", "/healthz", headers=headers)
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


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
