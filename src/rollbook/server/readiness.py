"""Whether Rollbook serves: asked through its own front door, as anybody would."""

import http.client
import ssl

from rollbook.server.gunicorn_app import Address

TIMEOUT_S = 1.0
WILDCARD_HOSTS = {"0.0.0.0": "127.0.0.1", "::": "::1"}


def is_ready(address: Address, *, behind_proxy: bool) -> bool:
    """Whether ``/healthz`` answers 200."""
    connection = _connection(address, behind_proxy)
    try:
        connection.request(
            "GET", "/healthz", headers={"X-Forwarded-Proto": "https"} if behind_proxy else {}
        )
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _connection(address: Address, behind_proxy: bool) -> http.client.HTTPConnection:
    host = WILDCARD_HOSTS.get(address.host, address.host)
    if behind_proxy:
        return http.client.HTTPConnection(host, address.port, timeout=TIMEOUT_S)
    # Nothing is checked: the listening socket is ours, and the operator's certificate may name only the world's name
    # for this machine.
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    tls.check_hostname = False
    tls.verify_mode = ssl.CERT_NONE
    return http.client.HTTPSConnection(host, address.port, timeout=TIMEOUT_S, context=tls)
