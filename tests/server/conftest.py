"""A web server in its own process, and curl."""

import os
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.patience import TIMEOUT_S

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Server:
    port: int
    data: Path
    scheme: str = "https"

    def curl(self, path: str, *arguments: str, scheme: str = "", host: str = "localhost") -> str:
        """Return what curl prints: the body, the status on the last line, and its own errors."""
        url = f"{scheme or self.scheme}://{host}:{self.port}{path}"
        done = subprocess.run(
            ["curl", "-sS", "--max-time", str(TIMEOUT_S), "-w", "\n%{http_code}", *arguments, url],
            env=os.environ | {"CURL_CA_BUNDLE": str(self.data / "certificate.pem")},
            capture_output=True,
            text=True,
        )
        return done.stdout + done.stderr

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=TIMEOUT_S)

    def connect_tls(self) -> ssl.SSLSocket:
        trust = ssl.create_default_context(cafile=str(self.data / "certificate.pem"))
        return trust.wrap_socket(self.connect(), server_hostname="localhost")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


@contextmanager
def echo(data: Path, *flags: str) -> Iterator[Server]:
    """The test application behind the real web server."""
    server = Server(free_port(), data, scheme="http" if "--behind-proxy" in flags else "https")
    command = [sys.executable, "-m", "tests.server.echo", str(data), str(server.port), *flags]
    process = subprocess.Popen(command, cwd=ROOT)
    try:
        _wait_for(server)
        yield server
    finally:
        process.terminate()
        process.wait(TIMEOUT_S)


def _wait_for(server: Server) -> None:
    deadline = time.monotonic() + TIMEOUT_S
    while time.monotonic() < deadline:
        with suppress(OSError):
            server.connect().close()
            return
        time.sleep(0.1)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with echo(tmp_path_factory.mktemp("data")) as running:
        yield running


@pytest.fixture(scope="session")
def hasty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with timeouts of two seconds instead of 15 and 30."""
    with echo(tmp_path_factory.mktemp("data"), "--hasty") as running:
        yield running


@pytest.fixture(scope="session")
def big_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("files") / "students.csv"
    path.write_bytes(bytes(60_000_000))
    return path
