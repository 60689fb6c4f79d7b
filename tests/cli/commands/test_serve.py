"""``rollbook serve``, ``web`` and ``worker`` as real processes; tests/server has more."""

import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests import depth
from tests.cli import process
from tests.cli.files import HEADER, row
from tests.installations import copied, execute, installed
from tests.patience import TIMEOUT_S

pytestmark = pytest.mark.process

LARGE = depth.choose(daily=8_000, nightly=20_000)  # students
ATTEMPTS = 5
READ = "SELECT id FROM updates_updatejob WHERE rows_read > 0"


@contextmanager
def started(data: Path, *arguments: str) -> Iterator["subprocess.Popen[str]"]:
    """Start a command that ends with the test at the latest."""
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
            running.wait(timeout=TIMEOUT_S)


def until(is_so: Callable[[], bool], seconds: float = TIMEOUT_S) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture(scope="module")
def prepared_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    data, schools = installed(folder / "data"), folder / "schools.csv"
    env = process.environment(data)
    schools.write_text("SCHOOL_ID,NAME\n100,Maple Elementary\n")
    assert process.rollbook("district", "add", "Maple USD", env=env).returncode == 0
    assert process.rollbook("school", "load", "maple-usd", schools, env=env).returncode == 0
    return data


@pytest.fixture
def data(prepared_data: Path, tmp_path: Path) -> Path:
    """Return the data folder of Maple USD with one school."""
    return copied(prepared_data, tmp_path / "data")


def test_serve_prints_when_it_is_ready_serves_https_and_stops_cleanly(data: Path) -> None:
    with started(data, "serve", "--port", "0") as server:
        assert server.stdout
        ready = server.stdout.readline()
        assert ready.startswith("Rollbook is ready at https://localhost:")
        trusting_ours = ssl.create_default_context(cafile=str(data / "certificate.pem"))
        with urlopen(
            f"{ready.split()[-1]}healthz", context=trusting_ours, timeout=TIMEOUT_S
        ) as answer:
            assert answer.status == 200
        server.terminate()
        assert server.wait(timeout=TIMEOUT_S) == 0


def test_a_load_with_a_running_server_is_processed_by_its_worker(
    data: Path, tmp_path: Path
) -> None:
    path = tmp_path / "base.csv"
    path.write_text(f"{HEADER}\n{row('00123', 'Ana', 'Brook')}\n")
    with started(data, "serve", "--port", "0") as server:
        assert server.stdout
        assert "ready" in server.stdout.readline()
        result = process.rollbook(
            "student", "load", "maple-usd", path, env=process.environment(data)
        )
    assert result.returncode == 0
    assert result.stdout.startswith("COMPLETED update 1: 1 student: 0 updated, 1 added")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_standalone_worker_stops_on_a_signal(data: Path, number: signal.Signals) -> None:
    with started(data, "worker") as worker:
        until(lambda: "worker ready" in (data.parent / "stderr").read_text())
        time.sleep(2)  # until its startup tasks are done, even on a busy machine
        worker.send_signal(number)
        assert worker.wait(timeout=TIMEOUT_S) == 0


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_an_interrupted_load_continues_with_the_same_command(
    prepared_data: Path, tmp_path: Path, number: signal.Signals
) -> None:
    path = tmp_path / "base.csv"
    rows = [row(str(count), "Ana", f"Brook{_letters(count)}") for count in range(LARGE)]
    path.write_text("\n".join((HEADER, *rows, "")))
    data = _data_of_interrupted_load(prepared_data, path, number)
    env = process.environment(data)
    if number == signal.SIGINT:
        stderr = (data.parent / "stderr").read_text()
        assert stderr.endswith(
            "run the same command again or start the server to continue\ninterrupted\n"
        )
    result = process.rollbook("student", "load", "maple-usd", path, env=env)
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith(
        f"COMPLETED update 1: {LARGE:,} students: "
        f"0 updated, {LARGE:,} added, 0 unchanged, 0 rejected"
    )
    assert (
        process.rollbook("student", "export", "maple-usd", env=env).stdout.count("\n") == LARGE + 1
    )


def _data_of_interrupted_load(prepared_data: Path, path: Path, number: signal.Signals) -> Path:
    """Load the file and interrupt it with this signal; return the data folder.

    On a busy machine the load may end before the signal arrives; then try again.
    """
    for attempt in range(ATTEMPTS):
        data = copied(prepared_data, path.parent / f"attempt-{attempt}" / "data")
        with started(data, "student", "load", "maple-usd", str(path)) as load:
            until(partial(_is_at_work, data))
            load.send_signal(number)
            code = load.wait(timeout=TIMEOUT_S)
        if code:
            assert code == {signal.SIGINT: 130, signal.SIGKILL: -9}[number]
            return data
    raise AssertionError(f"the load ended before the signal {ATTEMPTS} times")


def _is_at_work(data: Path) -> bool:
    return execute(data, READ) != []


def _letters(number: int) -> str:
    return "".join(chr(97 + int(digit)) for digit in str(number))


def test_a_certificate_without_its_key_is_an_error(data: Path) -> None:
    result = process.rollbook(
        "serve", "--port", "0", "--cert", "x.pem", env=process.environment(data)
    )
    assert (result.returncode, result.stdout) == (1, "")
    assert "a certificate needs its private key" in result.stderr


def test_web_without_a_certificate_or_proxy_is_a_usage_error(data: Path) -> None:
    result = process.rollbook("web", "--port", "0", env=process.environment(data))
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == (
        "ERROR no_certificate: use --cert and --key, or --behind-proxy; "
        "only `rollbook serve` creates a certificate\n"
    )
