"""systemd's watchdog: each long-running command is ready, makes progress, or is silent."""

import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.installations import environment, installed
from tests.patience import TIMEOUT_S

pytestmark = [pytest.mark.process, pytest.mark.daily_on("sqlite")]

SILENCE_S = 3.0


@contextmanager
def service(data: Path, *arguments: str) -> Iterator[tuple[int, socket.socket]]:
    """Run a command as systemd does; yield its process id and systemd's socket."""
    path = str(data.parent / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(path)
        manager.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        process = subprocess.Popen(
            [sys.executable, "-m", "rollbook", *arguments],
            env=environment(data, NOTIFY_SOCKET=path, WATCHDOG_USEC="20000000"),
            stdout=subprocess.DEVNULL,
            stderr=(data.parent / "stderr").open("w"),
        )
        try:
            yield process.pid, manager
            process.send_signal(signal.SIGTERM)
            assert process.wait(TIMEOUT_S) == 0
        finally:
            process.kill()
            process.wait()


def receive(manager: socket.socket, timeout_s: float = TIMEOUT_S) -> tuple[str, int]:
    """Return what is sent next, with the sender's process id; empty after the timeout."""
    if not select.select([manager], [], [], timeout_s)[0]:
        return "", 0
    text, credentials, _, _ = manager.recvmsg(1000, socket.CMSG_SPACE(12))
    return text.decode().partition("\n")[0], int.from_bytes(credentials[0][2][:4], sys.byteorder)


def drain(manager: socket.socket) -> None:
    while receive(manager, 0.1)[0]:
        pass


@pytest.mark.parametrize(
    "arguments",
    [
        ("serve", "--host", "127.0.0.1", "--port", "0"),
        ("web", "--behind-proxy", "--host", "127.0.0.1", "--port", "0"),
        ("worker",),
    ],
    ids=["serve", "web", "worker"],
)
def test_a_service_is_ready_and_pings_until_it_is_stopped(
    tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    with service(installed(tmp_path / "data"), *arguments) as (pid, manager):
        states: list[str] = []
        while states.count("WATCHDOG=1") < 3 or "READY=1" not in states:
            state, sender = receive(manager)
            assert sender == pid  # systemd ignores other processes of the service
            states.append(state)
        os.kill(pid, signal.SIGSTOP)
        drain(manager)
        stopped_at = time.monotonic()
        assert receive(manager, SILENCE_S) == ("", 0)
        assert time.monotonic() - stopped_at >= SILENCE_S
        os.kill(pid, signal.SIGCONT)
        assert receive(manager) == ("WATCHDOG=1", pid)
