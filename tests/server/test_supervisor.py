"""``rollbook serve`` as a process: it is started, killed in every way, and stopped."""

import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import pytest

from tests.installations import environment, installed
from tests.patience import TIMEOUT_S
from tests.server.conftest import ROOT, Server, free_port

pytestmark = pytest.mark.process


@dataclass(frozen=True)
class Serve:
    """A running ``rollbook serve``."""

    process: "subprocess.Popen[str]"
    ready: str  # its line on stdout
    log: Path
    server: Server

    def child(self, subcommand: str) -> int:
        """Return the process id of web or worker."""
        return next(pid for pid in descendants(self.process.pid) if subcommand in command_line(pid))

    def stop(self) -> float:
        """Stop it gracefully; return how many seconds that took."""
        began = time.monotonic()
        self.process.terminate()
        assert self.process.wait(TIMEOUT_S) == 0
        return time.monotonic() - began


def command(data: Path, port: int, *arguments: str) -> list[str]:
    options = ["--data", str(data), "--host", "127.0.0.1", "--port", str(port)]
    return [sys.executable, "-m", "rollbook", "serve", *options, *arguments]


@contextmanager
def serve(data: Path, port: int = 0, *arguments: str) -> Iterator[Serve]:
    """Start it and wait for its line; kill what is left of it at the end."""
    log = data.with_suffix(".log")
    with log.open("a") as stderr:
        process = subprocess.Popen(
            command(data, port, *arguments),
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            env=environment(data),
            cwd=ROOT,
        )
    assert process.stdout
    try:
        ready = first_line(process.stdout)
        port_read = ready.rstrip("/\n").rpartition(":")[2]
        server = Server(int(port_read) if port_read.isdecimal() else 0, data)
        yield Serve(process, ready, log, server)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def first_line(stdout: IO[str]) -> str:
    line = stdout.readline()
    assert line, "it ended before it was ready"
    return line


def descendants(pid: int) -> list[int]:
    """Return the children of a running process, and theirs."""
    pids = []
    with suppress(FileNotFoundError, ProcessLookupError):
        for text in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            pids += [int(text), *descendants(int(text))]
    return pids


def command_line(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/cmdline").read_text().split("\0")


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def eventually(condition: Callable[[], bool], seconds: float = TIMEOUT_S) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.05)
    return False


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return installed(tmp_path / "data")


def test_on_a_new_folder_it_announces_when_it_is_ready(tmp_path: Path) -> None:
    with serve(tmp_path / "new") as running:
        assert running.ready == f"Rollbook is ready at https://127.0.0.1:{running.server.port}/\n"
        assert running.server.curl("/healthz").endswith("\n200")


def takes_less_than(seconds: float, measure: Callable[[], float]) -> bool:
    """Measure up to three times, because a busy machine is slow at times."""
    return any(measure() < seconds for _ in range(3))


def test_sigterm_stops_everything_within_ten_seconds(data: Path) -> None:
    def stop() -> float:
        with serve(data) as running:
            processes = descendants(running.process.pid)
            assert len(processes) >= 3  # web, its worker process, and the worker
            seconds = running.stop()
            assert not [pid for pid in processes if is_running(pid)]
            return seconds

    assert takes_less_than(10, stop)


def test_idle_clients_do_not_delay_the_stop(data: Path) -> None:
    def stop() -> float:
        with serve(data) as running, running.server.connect(), running.server.connect_tls():
            return running.stop()

    assert takes_less_than(10, stop)  # seconds, after which they would have been killed


def test_a_second_signal_stops_it_right_away(data: Path) -> None:
    # less than its timeout of ten seconds
    assert takes_less_than(4, lambda: seconds_of_second_signal(data))


def seconds_of_second_signal(data: Path) -> float:
    with serve(data) as running, running.server.connect_tls() as client:
        client.sendall(
            b"POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 9999999\r\n\r\n" + bytes(70_000)
        )
        time.sleep(0.3)
        os.kill(running.child("worker"), signal.SIGSTOP)  # so it can't handle SIGTERM
        running.process.terminate()
        time.sleep(0.5)
        began = time.monotonic()
        running.process.send_signal(signal.SIGINT)
        assert running.process.wait(TIMEOUT_S) == 0
        return time.monotonic() - began


@pytest.mark.parametrize("child", ["web", "worker"])
def test_a_killed_child_process_is_restarted(data: Path, child: str) -> None:
    with serve(data) as running:
        killed = running.child(child)
        os.kill(killed, signal.SIGKILL)
        # A request may still be answered by a process that the killed one has started.
        assert eventually(lambda: f"{child} ended after " in running.log.read_text())
        again = ("--retry", "9", "--retry-all-errors", "--retry-delay", "1")
        assert running.server.curl("/healthz", *again).endswith("\n200")
        assert eventually(lambda: child in " ".join(map(str, command_lines(running))))
        assert running.child(child) != killed
        assert "(signal SIGKILL); it restarts in 0.1 s" in running.log.read_text()


def command_lines(running: Serve) -> list[list[str]]:
    return [command_line(pid) for pid in descendants(running.process.pid)]


def test_no_client_is_refused_while_the_web_server_restarts(data: Path) -> None:
    with serve(data) as running:
        os.kill(running.child("web"), signal.SIGKILL)
        answer = running.server.curl("/healthz")
        if "Connection reset" in answer or "Empty reply" in answer:
            # A process of the killed server had accepted the connection before it noticed.
            answer = running.server.curl("/healthz")
        assert answer.endswith("\n200")


def test_a_killed_supervisor_leaves_nothing_and_the_next_starts_right_away(data: Path) -> None:
    port = free_port()
    with serve(data, port) as running:
        processes = descendants(running.process.pid)
        running.process.kill()
        with serve(data, port) as next_one:
            assert next_one.server.curl("/healthz").endswith("\n200")
            assert not [pid for pid in processes if is_running(pid)]
            next_one.stop()


def test_a_killed_supervisor_frees_its_port_within_two_seconds(data: Path) -> None:
    with serve(data) as running:
        running.process.kill()
        assert eventually(lambda: is_free(running.server.port), 2)


def is_free(port: int) -> bool:
    with socket.socket() as sock:
        return sock.connect_ex(("127.0.0.1", port)) != 0


def refusal(data: Path, port: int, *arguments: str) -> str:
    done = subprocess.run(
        command(data, port, *arguments),
        capture_output=True,
        text=True,
        env=environment(data),
        cwd=ROOT,
        timeout=TIMEOUT_S,
    )
    assert (done.returncode, done.stdout) == (1, "")
    return done.stderr.strip()


def test_a_second_serve_on_the_same_data_is_refused_with_advice(data: Path) -> None:
    with serve(data) as running:
        assert refusal(data, 0) == (
            f"ERROR cannot_start: another `rollbook serve` (process {running.process.pid}) "
            f"already serves {data}; "
            "stop it, or choose another folder with --data"
        )


def test_a_port_in_use_is_refused_with_advice(data: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert refusal(data, port) == (
            f"ERROR cannot_start: port {port} is in use by another program; "
            "stop that program, or choose another port with --port"
        )


def test_a_certificate_without_its_key_is_refused_with_advice(data: Path) -> None:
    assert "use both --cert and --key" in refusal(data, 0, "--cert", "somewhere.pem")


def test_behind_a_proxy_it_serves_plain_http(data: Path) -> None:
    with serve(data, 0, "--behind-proxy") as running:
        assert running.ready == f"Rollbook is ready at http://127.0.0.1:{running.server.port}/\n"
        assert running.server.curl(
            "/healthz", "-H", "X-Forwarded-Proto: https", scheme="http"
        ).endswith("\n200")


def test_behind_a_proxy_it_serves_on_a_unix_socket(data: Path, tmp_path: Path) -> None:
    path = tmp_path / "web.sock"
    options = ("--behind-proxy", "--socket", str(path))
    with serve(data, 0, *options) as running:
        assert running.ready == f"Rollbook is ready at unix:{path}\n"
        assert stat.S_IMODE(path.stat().st_mode) == 0o660
        assert curl_by_socket(path).endswith("\n200")
        refused = curl_by_socket(path, "-H", "Cookie: " + "a" * 5000)
        assert refused.startswith("ERROR cookies_refused: ")
        assert refused.endswith("\n431")
        web = running.child("web")
        os.kill(web, signal.SIGTERM)
        assert eventually(lambda: not is_running(web))
        assert eventually(lambda: curl_by_socket(path).endswith("\n200"))
        running.stop()
        assert not path.exists()


def test_the_socket_of_a_killed_server_is_used_again(data: Path, tmp_path: Path) -> None:
    path = tmp_path / "web.sock"
    with serve(data, 0, "--behind-proxy", "--socket", str(path)) as running:
        children = descendants(running.process.pid)
        running.process.kill()
        assert eventually(lambda: not any(map(is_running, children)))
    assert path.is_socket()
    with serve(data, 0, "--behind-proxy", "--socket", str(path)):
        assert curl_by_socket(path).endswith("\n200")


def test_a_socket_is_for_a_proxy(data: Path) -> None:
    done = subprocess.run(
        command(data, 0, "--socket", "web.sock"), capture_output=True, text=True, cwd=ROOT
    )
    assert (done.returncode, done.stderr) == (
        2,
        "ERROR no_proxy: --socket is for a reverse proxy; use it with --behind-proxy\n",
    )


def curl_by_socket(path: Path, *options: str) -> str:
    """What a proxy gets from ``/healthz``."""
    call = ["curl", "-sS", "--max-time", str(TIMEOUT_S), "-w", "\n%{http_code}"]
    call += ["-H", "X-Forwarded-Proto: https", "--unix-socket", str(path), *options]
    done = subprocess.run([*call, "http://localhost/healthz"], capture_output=True, text=True)
    return done.stdout + done.stderr
