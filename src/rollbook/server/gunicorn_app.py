"""The web server: gunicorn with the worker for slow clients, and Django behind it."""

import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped]
from gunicorn.glogging import Logger  # type: ignore[import-untyped]

from rollbook import environment
from rollbook.server import parent_watch
from rollbook.server.slow_clients.arbiter import ReloadingArbiter
from rollbook.server.slow_clients.worker import SlowClientWorker
from rollbook.server.tls import Certificate

LISTENER = environment.LISTENER
APPLICATION = "rollbook.wsgi:application"
THREADS = 32
"""How many requests are handled at the same time."""

GRACEFUL_TIMEOUT_S = 7  # for requests that are being answered; the supervisor waits ten seconds


@dataclass(frozen=True)
class Address:
    """Where to listen."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True)
class UnixSocket:
    """Where to listen for a reverse proxy on this machine."""

    path: Path

    def __str__(self) -> str:
        return f"unix:{self.path}"


Endpoint = Address | UnixSocket


class Log(Logger):  # type: ignore[misc]
    """gunicorn's log, in our format."""

    def setup(self, cfg: Any) -> None:
        """Pass records to the root logger, which escapes what could forge a line of the log."""
        self.error_log.propagate = True
        self.error_log.setLevel("WARNING")


class WebServer(BaseApplication):  # type: ignore[misc]
    """gunicorn, configured here only: it reads no command line, file or environment.

    Args:
        settings: gunicorn's settings.
        application: The module and name of the WSGI application, separated by a colon.
    """

    def __init__(self, settings: dict[str, Any], application: str) -> None:
        self.settings = settings
        self.application = application
        super().__init__()

    def load_config(self) -> None:
        """Set gunicorn's settings."""
        for name, value in self.settings.items():
            self.cfg.set(name, value)

    def run(self) -> None:
        """Serve until stopped."""
        ReloadingArbiter(self).run()

    def load(self) -> Callable[..., Any]:
        """Return the WSGI application, in the worker process."""
        module, _, name = self.application.partition(":")
        application: Callable[..., Any] = getattr(import_module(module), name)
        return application


def run_web(
    address: Endpoint,
    certificate: Certificate | None,
    *,
    behind_proxy: bool = False,
    application: str = APPLICATION,
    beside: Callable[[Callable[[], None]], None] = lambda stop: None,
    listener: int | None = None,
) -> None:
    """Serve until SIGTERM: HTTPS with a certificate, or plain HTTP for a proxy that terminates TLS.

    SIGHUP reloads the certificate from its files.

    Args:
        address: Where to listen, unless the supervisor passes on its listening socket.
        certificate: The certificate; None behind a proxy.
        behind_proxy: Whether to trust the proxy's header about the client's protocol.
        application: The module and name of the WSGI application, separated by a colon.
        beside: Called once in the worker process before it serves, with a function that stops the
            web server.
        listener: The file descriptor of the socket that is already listening, if there is one.

    Raises:
        SystemExit: The web server was stopped.
    """
    parent_watch.watch()
    settings = _settings(address, certificate, behind_proxy=behind_proxy)
    if inherited := os.environ.get(LISTENER):
        listener = int(inherited)
    if listener is not None:
        settings["bind"] = f"fd://{listener}"
        settings["when_ready"] = _keep_socket
    settings["post_worker_init"] = lambda worker: beside(_stopper(os.getppid()))
    WebServer(settings, application).run()


def _keep_socket(arbiter: Any) -> None:
    """Leave the path of a Unix socket to the process that opened it, which may restart this one.

    gunicorn removes it at the end, unless systemd has opened the socket.
    """
    arbiter.systemd = True


def _stopper(master: int) -> Callable[[], None]:
    """Return a function that stops the web server from its worker process, as SIGTERM does.

    Args:
        master: gunicorn's main process.
    """

    def stop() -> None:
        if os.getppid() == master:
            os.kill(master, signal.SIGTERM)

    return stop


def _settings(
    address: Endpoint, certificate: Certificate | None, *, behind_proxy: bool
) -> dict[str, Any]:
    return {
        "bind": str(address),
        "worker_class": SlowClientWorker,
        "workers": 1,
        "threads": THREADS,
        "worker_connections": 500,  # with the threads' files, below the usual limit of 1,024
        "keepalive": 20,
        "graceful_timeout": GRACEFUL_TIMEOUT_S,
        "limit_request_line": 4094,
        "limit_request_fields": 60,
        "limit_request_field_size": 8190,
        "certfile": str(certificate.chain) if certificate else None,
        "keyfile": str(certificate.key) if certificate else None,
        # Only the proxy can reach the plain port, so its header is trusted. On the TLS port no
        # header is.
        "forwarded_allow_ips": "*" if behind_proxy else "",
        "secure_scheme_headers": {"X-FORWARDED-PROTO": "https"} if behind_proxy else {},
        "forwarder_headers": "",
        "sendfile": False,  # it would bypass our sockets, which have a send timeout
        "control_socket_disable": True,
        "logger_class": Log,
    }
