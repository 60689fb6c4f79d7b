"""The worker's lock and heartbeat."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from pytest_django import Settings

from rollbook.jobs.single_worker.heartbeat import WorkerLock, worker_status

ACQUIRE_AND_WAIT = """
import time, django
django.setup()
from django.conf import settings
from pathlib import Path
import sys
settings.DATA = Path(sys.argv[1])
from rollbook.jobs.single_worker.heartbeat import WorkerLock
lock = WorkerLock()
print(lock.acquire(), flush=True)
time.sleep(60)
"""


@pytest.fixture(autouse=True)
def data(settings: Settings, tmp_path: Path) -> Path:
    settings.DATA = tmp_path
    return tmp_path


def test_before_the_first_worker_there_is_no_heartbeat() -> None:
    status = worker_status()
    assert (status.alive, status.at) == (False, None)


@pytest.mark.process
def test_a_worker_is_alive_until_it_is_killed(data: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", ACQUIRE_AND_WAIT, str(data)], stdout=subprocess.PIPE
    ) as worker:
        assert worker.stdout
        assert worker.stdout.readline() == b"True\n"
        assert worker_status().alive
        worker.kill()
    status = worker_status()
    assert not status.alive
    assert status.at


def test_only_one_worker_holds_the_lock_and_the_next_gets_it_after_the_release() -> None:
    first, second = WorkerLock(), WorkerLock()
    assert first.acquire()
    assert not second.acquire()
    first.release()
    assert second.acquire()


def test_a_worker_that_hangs_is_not_alive(data: Path) -> None:
    lock = WorkerLock()
    lock.acquire()
    a_minute_ago = time.time() - 60
    os.utime(data / "worker.lock", (a_minute_ago, a_minute_ago))
    assert not worker_status().alive
    lock.beat()
    assert worker_status().alive
