"""Strangers who try to keep others from uploading, against a whole server."""

import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests import depth
from tests.conftest import PASSWORD
from tests.endtoend.conftest import Rollbook
from tests.faults.folder import HEADER, row
from tests.patience import TIMEOUT_S

pytestmark = pytest.mark.daily_on("sqlite")

SOCKETS = depth.choose(daily=60, nightly=200)
MEGABYTES = depth.choose(daily=10, nightly=50)
LIMIT_S = 30.0
STRANGERS = ("127.0.0.2", "127.0.1.3")  # in two networks
GIGABYTE = 1 << 30
ANNOUNCEMENT = (
    "POST /slc/studentupdate/start HTTP/1.1\r\nHost: localhost\r\n"
    f"Content-Length: {GIGABYTE}\r\n"
    "Content-Type: multipart/form-data; boundary=b\r\n\r\n"
    '--b\r\nContent-Disposition: form-data; name="file"; filename="students.csv"\r\n\r\n'
).encode()


class Stranger(threading.Thread):
    """Announces a gigabyte, sends little of it, and begins again when the connection ends."""

    def __init__(self, port: int, address: str, stop: threading.Event) -> None:
        super().__init__(daemon=True)
        self.port, self.address, self.stop = port, address, stop
        self.attempts = 0

    def run(self) -> None:
        while not self.stop.is_set():
            self.attempts += 1
            with suppress(OSError):
                self._upload()
            self.stop.wait(0.5)

    def _upload(self) -> None:
        anyone = ssl.create_default_context()
        anyone.check_hostname, anyone.verify_mode = False, ssl.CERT_NONE
        with (
            socket.create_connection(
                ("127.0.0.1", self.port), 5.0, source_address=(self.address, 0)
            ) as plain,
            anyone.wrap_socket(plain) as client,
        ):
            client.sendall(ANNOUNCEMENT + b"x" * 70_000)
            client.settimeout(0.5)
            while not self.stop.is_set():
                client.sendall(b"x" * 1000)
                with suppress(TimeoutError):
                    if not client.recv(1000):
                        return


@contextmanager
def strangers(port: int) -> Iterator[list[Stranger]]:
    stop = threading.Event()
    threads = [Stranger(port, STRANGERS[number % 2], stop) for number in range(SOCKETS)]
    for thread in threads:
        thread.start()
    try:
        yield threads
    finally:
        stop.set()
        for thread in threads:
            thread.join(TIMEOUT_S)


def start(rollbook: Rollbook, *arguments: str) -> str:
    """Return what curl prints."""
    return subprocess.run(
        ["curl", "-sS", *arguments, f"{rollbook.url}/slc/studentupdate/start"],
        env=rollbook.environment,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    ).stdout


@pytest.mark.statement("S25", "S33")
@pytest.mark.parametrize("credentials", ["form", "header"])
def test_strangers_cannot_keep_a_script_that_has_signed_in_from_uploading(
    serving_alone: Rollbook, tmp_path: Path, credentials: str
) -> None:
    file = tmp_path / "students.csv"
    line = row(1)
    file.write_text(HEADER + line * (MEGABYTES * 1_000_000 // len(line)), encoding="utf-8")
    serving = serving_alone
    if credentials == "form":
        serving.curl("status")  # signs in
        sign_in = ["-F", f"login={serving.district.login}", "-F", f"password={PASSWORD}"]
    else:
        sign_in = ["-u", f"{serving.district.login}:{PASSWORD}"]
    port = int(serving.url.rpartition(":")[2])
    with strangers(port) as threads:
        time.sleep(3.0)  # they take what they can
        started_at = time.monotonic()
        answer = start(serving, "-F", f"file=@{file}", *sign_in)
        seconds = time.monotonic() - started_at
    assert answer.startswith("OK update 1 accepted"), answer
    print(f"{credentials}: {seconds:.1f} s")
    assert seconds < LIMIT_S
    assert min(thread.attempts for thread in threads) > 0
