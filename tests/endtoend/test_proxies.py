"""The sample configurations of reverse proxies, in front of a real server."""

import getpass
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from rollbook.server.tls import self_signed_certificate
from tests.endtoend.conftest import Rollbook
from tests.faults.folder import HEADER, row
from tests.installations import execute
from tests.patience import TIMEOUT_S
from tests.server.conftest import free_port

pytestmark = pytest.mark.without_database

DEPLOY = Path(__file__).parents[2] / "deploy"

MAIN_NGINX = """\
user {user};
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/proxy.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/rollbook.conf;
}}
"""

Command = Callable[[Path, Path, int], list[str]]


def nginx(folder: Path, data: Path, port: int) -> list[str]:
    """Write the sample for this port; return the command that runs it."""
    sample = (DEPLOY / "nginx" / "rollbook.conf").read_text(encoding="utf-8")
    for old, new in {
        "listen 443 ssl;": f"listen 127.0.0.1:{port} ssl;",
        "listen [::]:443 ssl;": "",
        "/etc/rollbook/fullchain.pem": str(data / "certificate.pem"),
        "/etc/rollbook/privkey.pem": str(data / "certificate.key"),
        "/run/rollbook/web.sock": str(folder / "web.sock"),
    }.items():
        assert old in sample
        sample = sample.replace(old, new)
    (folder / "rollbook.conf").write_text(sample, encoding="utf-8")
    (folder / "nginx.conf").write_text(
        MAIN_NGINX.format(folder=folder, user=getpass.getuser()), encoding="utf-8"
    )
    return ["nginx", "-p", str(folder), "-c", str(folder / "nginx.conf")]


def caddy(folder: Path, data: Path, port: int) -> list[str]:
    """Write the sample for this port; return the command that runs it."""
    sample = (DEPLOY / "caddy" / "Caddyfile").read_text(encoding="utf-8")
    certificate = f"\ttls {data / 'certificate.pem'} {data / 'certificate.key'}\n"
    for old, new in {
        "rollbook.example {\n": f"https://localhost:{port} {{\n\tbind 127.0.0.1\n{certificate}",
        "{\n\t# No plain": "{\n\tadmin off\n\t# No plain",
        "/run/rollbook/web.sock": str(folder / "web.sock"),
    }.items():
        assert old in sample
        sample = sample.replace(old, new)
    (folder / "Caddyfile").write_text(sample, encoding="utf-8")
    return ["caddy", "run", "--config", str(folder / "Caddyfile")]


@contextmanager
def running(command: list[str], environment: dict[str, str], log: Path) -> Iterator[None]:
    with log.open("a") as file:
        process = subprocess.Popen(command, env=environment, stdout=file, stderr=file)
    try:
        yield
    finally:
        process.terminate()
        process.wait(TIMEOUT_S)


def wait_until_ready(rollbook: Rollbook, log: Path) -> None:
    call = ["curl", "-sS", "--fail", f"{rollbook.url}/healthz"]
    deadline = time.monotonic() + TIMEOUT_S
    while subprocess.run(call, env=rollbook.environment, capture_output=True).returncode != 0:
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.1)


@pytest.mark.parametrize(
    "configured",
    [
        pytest.param(
            each,
            id=each.__name__,
            marks=pytest.mark.skipif(
                not shutil.which(each.__name__), reason=f"{each.__name__} is not installed here"
            ),
        )
        for each in (nginx, caddy)
    ],
)
def test_an_update_through_a_proxy(rollbook: Rollbook, tmp_path: Path, configured: Command) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    self_signed_certificate(rollbook.data, "localhost")
    port = free_port()
    proxy = configured(folder, rollbook.data, port)
    options = ["--behind-proxy", "--socket", str(folder / "web.sock")]
    serve = [sys.executable, "-m", "rollbook", "serve", *options]
    (tmp_path / "students.csv").write_text(HEADER + row(1), encoding="utf-8")
    log = tmp_path / "proxy.log"
    home = rollbook.environment | {"HOME": str(folder), "XDG_DATA_HOME": str(folder)}
    with (
        running(serve, rollbook.environment, tmp_path / "serve.log"),
        running(proxy, home, log),
    ):
        rollbook.url = f"https://localhost:{port}"
        wait_until_ready(rollbook, log)
        forged = ("-H", "X-Forwarded-For: 198.51.100.1", "-H", "X-Forwarded-Proto: http")
        answer = rollbook.curl(
            "start", "-F", f"file=@{tmp_path / 'students.csv'}", "-F", "mode=add", *forged
        )
        assert answer.verdict.startswith("OK update 1 "), answer.text
        assert rollbook.until_ended().startswith("COMPLETED update 1")
        addresses = "SELECT DISTINCT address FROM accounts_auditevent WHERE action = 'start'"
        assert execute(rollbook.data, addresses) == [("127.0.0.1",)]
