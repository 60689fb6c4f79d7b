"""The web server: gunicorn with our reception, and Django behind it."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from gunicorn import glogging, util  # type: ignore[import-untyped]
from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped]

from rollbook import environment
from rollbook.server import parent_watch
from rollbook.server.slow_clients.worker import SlowClientWorker
from rollbook.server.tls import Certificate

LISTENER = environment.LISTENER
APPLICATION = "rollbook.wsgi:application"
STOPPING_SECONDS = 7  # for requests that are being answered; the supervisor waits ten


@dataclass(frozen=True)
class Address:
    """Where to listen."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class Log(glogging.Logger):  # type: ignore[misc]
    """gunicorn's log, as lines of ours."""

    def setup(self, cfg: Any) -> None:
        """Leave the writing to the root logger, which escapes what a client could use to forge a line."""
        self.error_log.propagate = True
        self.error_log.setLevel("WARNING")


class WebServer(BaseApplication):  # type: ignore[misc]
    """gunicorn, set up here and nowhere else: it reads no command line, no file and no environment."""

    def __init__(self, settings: dict[str, Any], application: str) -> None:
        self.settings = settings
        self.application = application
        super().__init__()

    def load_config(self) -> None:
        """Called by gunicorn."""
        for name, value in self.settings.items():
            self.cfg.set(name, value)

    def load(self) -> Callable[..., Any]:
        """Called by gunicorn, in the process that serves."""
        application: Callable[..., Any] = util.import_app(self.application)
        return application


def run_web(
    address: Address,
    certificate: Certificate | None,
    *,
    behind_proxy: bool = False,
    application: str = APPLICATION,
    beside: Callable[[], None] = lambda: None,
) -> None:
    """Serve until SIGTERM; with a certificate HTTPS, without one plain HTTP for a proxy that does it.

    ``beside`` is called once in the process that serves, before it does.
    """
    parent_watch.watch()
    settings = _settings(address, certificate, behind_proxy) | {
        "post_worker_init": lambda worker: beside()
    }
    WebServer(settings, application).run()


def _settings(
    address: Address, certificate: Certificate | None, behind_proxy: bool
) -> dict[str, Any]:
    listener = os.environ.get(LISTENER)
    return {
        "bind": f"fd://{listener}" if listener else str(address),
        "worker_class": SlowClientWorker,
        "workers": 1,
        "threads": 32,
        "worker_connections": 500,  # with the threads' files it stays under the usual limit of 1,024
        "keepalive": 20,
        "graceful_timeout": STOPPING_SECONDS,
        "limit_request_line": 4094,
        "limit_request_fields": 60,
        "limit_request_field_size": 8190,
        "certfile": str(certificate.chain) if certificate else None,
        "keyfile": str(certificate.key) if certificate else None,
        # Whoever reaches the plain port is the proxy and says how its client came; on the TLS port nobody says it.
        "forwarded_allow_ips": "*" if behind_proxy else "",
        "secure_scheme_headers": {"X-FORWARDED-PROTO": "https"} if behind_proxy else {},
        "forwarder_headers": "",
        "sendfile": False,  # it would go round our sockets, which see to slow readers
        "control_socket_disable": True,
        "logger_class": Log,
    }
