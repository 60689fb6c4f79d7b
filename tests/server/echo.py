"""A WSGI application for tests of the web server, and a command that serves it.

``python -m tests.server.echo DATA PORT [--behind-proxy] [--hasty]``

``--hasty`` shortens the timeouts of 15 and 30 seconds to two.
"""

import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from rollbook.server import gunicorn_app, tls
from rollbook.server.slow_clients import body_timeout, connection, sockets
from rollbook.server.slow_clients.body_timeout import NoSlot

Response = tuple[str, bytes]


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    status, body = PATHS[environ["PATH_INFO"]](environ)
    start_response(status, [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]


def _healthz(environ: dict[str, Any]) -> Response:
    return "200 OK", f"OK {environ['wsgi.url_scheme']}\n".encode()


def _refuse(environ: dict[str, Any]) -> Response:
    return "413 Content Too Large", b"ERROR too_large: nobody has read the body\n"


def _upload(environ: dict[str, Any]) -> Response:
    announced = remaining = int(environ["CONTENT_LENGTH"])
    try:
        while remaining and (data := environ["wsgi.input"].read(min(remaining, 64 * 1024))):
            remaining -= len(data)
    except NoSlot as error:
        return "429 Too Many Requests", f"ERROR {error.code}\n".encode()
    except OSError as error:
        return "408 Request Timeout", f"ERROR {type(error).__name__}\n".encode()
    return "200 OK", f"OK {announced - remaining} of {announced}\n".encode()


def _large(environ: dict[str, Any]) -> Response:
    return "200 OK", b"x" * 5_000_000


def _broken(environ: dict[str, Any]) -> Response:
    raise RuntimeError("the text of an exception is not for clients")


PATHS = {
    "/healthz": _healthz,
    "/refuse": _refuse,
    "/upload": _upload,
    "/large": _large,
    "/broken": _broken,
}


def main(data: str, port: str, *flags: str) -> None:
    if "--hasty" in flags:
        connection.HEAD_TIMEOUT_S = 2.0
        connection.PREREAD_TIMEOUT_S = 2.0
        body_timeout.RECEIVE_TIMEOUT_S = 2.0
        sockets.SEND_TIMEOUT_S = 2.0
    behind_proxy = "--behind-proxy" in flags
    certificate = None if behind_proxy else tls.self_signed_certificate(Path(data), "127.0.0.1")
    address = gunicorn_app.Address("127.0.0.1", int(port))
    gunicorn_app.run_web(
        address, certificate, behind_proxy=behind_proxy, application="tests.server.echo:application"
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
