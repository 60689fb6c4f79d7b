"""``rollbook serve``, ``web`` and ``worker``, as real processes; more of them in tests/server."""

import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.cli import process
from tests.cli.files import HEADER, row
from tests.installations import copied, execute, installed


@contextmanager
def started(data: Path, *arguments: str) -> Iterator["subprocess.Popen[str]"]:
    """It never outlives the test."""
    running = subprocess.Popen(
        [sys.executable, "-m", "rollbook", *arguments],
        env=process.environment(data),
        stdout=subprocess.PIPE,
        stderr=(data.parent / "stderr").open("w"),
        text=True,
    )
    try:
        yield running
    finally:
        if running.poll() is None:
            running.terminate()
            running.wait(timeout=30)


def until(is_so: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture(scope="module")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    data, schools = installed(folder / "data"), folder / "schools.csv"
    env = process.environment(data)
    schools.write_text("SCHOOL_ID,NAME\n100,Maple Elementary\n")
    assert process.rollbook("district", "add", "Maple USD", env=env).returncode == 0
    assert process.rollbook("school", "load", "maple-usd", schools, env=env).returncode == 0
    return data


@pytest.fixture
def data(made_once: Path, tmp_path: Path) -> Path:
    """Maple USD with a school."""
    return copied(made_once, tmp_path / "data")


def test_serve_says_when_it_is_ready_serves_https_and_stops_in_good_order(data: Path) -> None:
    with started(data, "serve", "--port", "0") as server:
        assert server.stdout
        ready = server.stdout.readline()
        assert ready.startswith("Rollbook is ready at https://localhost:")
        trusting_ours = ssl.create_default_context(cafile=str(data / "certificate.pem"))
        with urlopen(f"{ready.split()[-1]}healthz", context=trusting_ours, timeout=10) as answer:
            assert answer.status == 200
        server.terminate()
        assert server.wait(timeout=60) == 0


def test_a_load_beside_a_running_server_is_done_by_its_worker(data: Path, tmp_path: Path) -> None:
    path = tmp_path / "base.csv"
    path.write_text(f"{HEADER}\n{row('00123', 'Ana', 'Brook')}\n")
    with started(data, "serve", "--port", "0") as server:
        assert server.stdout
        assert "ready" in server.stdout.readline()
        done = process.rollbook("student", "load", "maple-usd", path, env=process.environment(data))
    assert done.returncode == 0
    assert done.stdout.startswith("COMPLETED update 1: 1 student: 0 updated, 1 added")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_worker_alone_stops_at_a_signal(data: Path, number: signal.Signals) -> None:
    with started(data, "worker") as worker:
        until(lambda: "worker ready" in (data.parent / "stderr").read_text())
        time.sleep(2)  # until what it does first is done, also on a busy machine
        worker.send_signal(number)
        assert worker.wait(timeout=60) == 0


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_a_load_that_is_stopped_in_its_middle_goes_on_with_the_same_command(
    data: Path, tmp_path: Path, number: signal.Signals
) -> None:
    path, env = tmp_path / "base.csv", process.environment(data)
    rows = [row(str(count), "Ana", f"Brook{_letters(count)}") for count in range(20_000)]
    path.write_text("\n".join((HEADER, *rows, "")))
    with started(data, "student", "load", "maple-usd", str(path)) as load:
        until(lambda: execute(data, "SELECT id FROM updates_update WHERE read > 0") != [])
        load.send_signal(number)
        assert load.wait(timeout=60) == {signal.SIGINT: 130, signal.SIGKILL: -9}[number]
    if number == signal.SIGINT:
        told = (tmp_path / "stderr").read_text()
        assert told.endswith(
            "run the same command again or start the server to continue\ninterrupted\n"
        )
    done = process.rollbook("student", "load", "maple-usd", path, env=env)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(
        "COMPLETED update 1: 20,000 students: 0 updated, 20,000 added, 0 unchanged, 0 rejected"
    )
    assert process.rollbook("student", "export", "maple-usd", env=env).stdout.count("\n") == 20_001


def _letters(number: int) -> str:
    return "".join(chr(97 + int(digit)) for digit in str(number))


def test_a_certificate_without_its_key_is_refused(data: Path) -> None:
    done = process.rollbook(
        "serve", "--port", "0", "--cert", "x.pem", env=process.environment(data)
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert "a certificate needs its key" in done.stderr


def test_web_without_a_certificate_or_a_proxy_says_what_it_needs(data: Path) -> None:
    done = process.rollbook("web", "--port", "0", env=process.environment(data))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "ERROR no_certificate: use --cert and --key, or --behind-proxy; "
        "only `rollbook serve` creates a certificate\n"
    )
