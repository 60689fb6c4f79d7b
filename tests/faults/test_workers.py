"""F05, F08: workers that are told to stop, and two that start at once, as real processes."""

import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.faults.folder import HEADER, Folder, enrolled_once, row
from tests.installations import execute
from tests.patience import TIMEOUT_S
from tests.prepared import Task, prepared

WAITING = 6_000  # new students, enough for a worker to be seen at work


@pytest.fixture(scope="module")
def waiting(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    """A folder in which a file with many new students waits."""
    place = tmp_path_factory.mktemp("workers")
    folder = enrolled_once().copy(place / "data")
    (place / "new.csv").write_text(
        HEADER + "".join(row(n) for n in range(1000, 1000 + WAITING)), encoding="utf-8"
    )
    folder.run("submit", str(place / "new.csv"), "add")
    return folder


@pytest.fixture
def folder(waiting: Folder, tmp_path: Path) -> Folder:
    return waiting.copy(tmp_path / "data")


@contextmanager
def a_worker(folder: Folder, log: Path) -> Iterator[Task]:
    worker = prepared().start("rollbook", "worker", environment=folder.environment, stderr=log)
    try:
        yield worker
    finally:
        worker.kill()
        worker.wait()


def until(folder: Folder, state: str, seconds: float = TIMEOUT_S) -> int:
    """Wait until the second update has got there; returns how many students it has added."""
    deadline = time.monotonic() + seconds
    while True:
        found, added = execute(
            folder.path, "SELECT state, rows_added FROM updates_updatejob WHERE number = 2"
        )[0]
        if found == state:
            return int(added)
        assert time.monotonic() < deadline, f"{found} after {seconds} s"
        time.sleep(0.02)


def test_a_worker_that_is_told_to_stop_ends_its_step_and_the_next_one_goes_on(
    folder: Folder, tmp_path: Path
) -> None:
    with a_worker(folder, tmp_path / "first.log") as first:
        until(folder, "applying")
        first.send_signal(signal.SIGTERM)
        assert first.wait(TIMEOUT_S) == 0
    stopped = folder.dump()["updates"][1]
    assert stopped["state"] == "applying"
    assert folder.run("deaths").strip() == "0"
    with a_worker(folder, tmp_path / "second.log"):
        assert until(folder, "completed") == WAITING


@pytest.mark.only_on("sqlite")  # on PostgreSQL they all work; see test_many_machines.py
def test_of_eight_workers_that_start_at_once_one_works_and_the_others_say_that_they_wait(
    folder: Folder, tmp_path: Path
) -> None:
    logs = [tmp_path / f"{number}.log" for number in range(8)]
    with ExitStack() as stack:
        workers = [stack.enter_context(a_worker(folder, log)) for log in logs]
        assert until(folder, "completed") == WAITING
        time.sleep(0.5)
        texts = [log.read_text() for log in logs]
        assert sum("worker ready" in text for text in texts) == 1
        assert sum("stays idle" in text for text in texts) == 7
        at_work = next(number for number, text in enumerate(texts) if "worker ready" in text)
        workers[at_work].kill()
        deadline = time.monotonic() + TIMEOUT_S
        while sum("worker ready" in log.read_text() for log in logs) < 2:
            assert time.monotonic() < deadline
            time.sleep(0.1)
