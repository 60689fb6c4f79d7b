"""Waking the worker: a committed update is taken up before the worker's pause is over."""

import errno
import os
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread

import pytest
from django.db import transaction
from pytest_django import Settings

from rollbook.districts.models import District
from rollbook.jobs.single_worker import loop
from rollbook.jobs.single_worker.heartbeat import WorkerLock
from rollbook.jobs.single_worker.wake_up import Alarm, wake
from tests.jobs.conftest import new_students
from tests.patience import TIMEOUT_S

SINGLE_WORKER = pytest.mark.only_on("sqlite")


@pytest.fixture(autouse=True)
def data(settings: Settings, tmp_path: Path) -> Path:
    settings.DATA = tmp_path
    return tmp_path


@pytest.fixture
def alarm() -> Iterator[Alarm]:
    alarm = Alarm()
    alarm.open()
    yield alarm
    alarm.close()


def is_woken(alarm: Alarm) -> bool:
    """Whether the next pause ends right away."""
    started = time.monotonic()
    alarm.wait(0.05)
    return time.monotonic() - started < 0.05


def test_a_pause_ends_when_the_worker_is_woken(alarm: Alarm) -> None:
    started = time.monotonic()
    Thread(target=wake).start()
    alarm.wait(TIMEOUT_S)
    assert time.monotonic() - started < TIMEOUT_S


def test_several_calls_end_one_pause(alarm: Alarm) -> None:
    for _ in range(100):
        wake()
    alarm.wait(TIMEOUT_S)
    assert not is_woken(alarm)


def test_a_call_before_the_pause_ends_it(alarm: Alarm) -> None:
    wake()
    alarm.wait(TIMEOUT_S)


def test_nobody_has_to_listen(data: Path) -> None:
    wake()
    alarm = Alarm()
    alarm.open()
    alarm.close()
    alarm.close()
    wake()
    data.joinpath("worker.wake").unlink()
    wake()
    assert not data.joinpath("worker.wake").exists()


def test_a_worker_that_starts_later_is_woken(alarm: Alarm) -> None:
    alarm.close()
    other = Alarm()
    other.open()
    wake()
    other.wait(TIMEOUT_S)
    other.close()


def test_a_pipe_that_nobody_empties_does_not_block(data: Path, alarm: Alarm) -> None:
    pipe = os.open(data / "worker.wake", os.O_WRONLY | os.O_NONBLOCK)
    with suppress(BlockingIOError):
        while True:
            os.write(pipe, bytes(4096))
    os.close(pipe)
    wake()
    alarm.wait(TIMEOUT_S)
    assert not is_woken(alarm)


def test_a_file_in_place_of_the_pipe_is_replaced_and_never_written_to(data: Path) -> None:
    data.joinpath("worker.wake").write_text("a copy")
    wake()
    assert data.joinpath("worker.wake").read_text() == "a copy"
    alarm = Alarm()
    alarm.open()
    wake()
    alarm.wait(TIMEOUT_S)
    alarm.close()


def test_only_the_owner_can_use_the_pipe(data: Path, alarm: Alarm) -> None:
    assert data.joinpath("worker.wake").stat().st_mode & 0o777 == 0o600


def test_without_a_pipe_a_pause_has_its_length(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: object) -> None:
        raise OSError(errno.EPERM, "this file system has no pipes")

    monkeypatch.setattr(os, "mkfifo", fail)
    alarm = Alarm()
    alarm.open()
    wake()
    assert not is_woken(alarm)


class Rounds:
    """Stands for the scheduler: each round calls the next function; the pauses are long."""

    def __init__(self, *calls: Callable[[], object]) -> None:
        self._calls = list(calls)

    def __call__(self) -> "Rounds":
        return self

    def run_one_round(self) -> float:
        self._calls.pop(0)()
        return loop.POLL_INTERVAL_S

    def release_all(self) -> None:
        assert not self._calls


@pytest.fixture
def long_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "POLL_INTERVAL_S", TIMEOUT_S)
    monkeypatch.setattr(loop, "_task_threads", lambda ending: iter(()))


@pytest.mark.usefixtures("long_pauses")
def test_the_active_worker_looks_for_work_when_it_is_woken(monkeypatch: pytest.MonkeyPatch) -> None:
    stop = Event()

    def last_round() -> None:
        stop.set()
        wake()

    monkeypatch.setattr(loop, "Scheduler", Rounds(wake, last_round))
    loop.work(stop)


@pytest.mark.usefixtures("long_pauses")
def test_a_second_worker_is_woken_once_it_is_the_active_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first, stop = WorkerLock(), Event()
    assert first.acquire()

    def release(seconds: float) -> bool:
        wake()
        first.release()
        return False

    def last_round() -> None:
        stop.set()
        wake()

    monkeypatch.setattr(stop, "wait", release)
    monkeypatch.setattr(loop, "Scheduler", Rounds(wake, last_round))
    loop.work(stop)


@SINGLE_WORKER
@pytest.mark.django_db(transaction=True)
def test_an_update_wakes_the_worker_when_it_is_committed_and_not_before(
    maple: District, alarm: Alarm
) -> None:
    with transaction.atomic():
        new_students(maple, 3)
        assert not is_woken(alarm)
    alarm.wait(TIMEOUT_S)
    assert not is_woken(alarm)


@SINGLE_WORKER
@pytest.mark.django_db(transaction=True)
def test_an_update_that_is_rolled_back_wakes_nobody(maple: District, alarm: Alarm) -> None:
    with transaction.atomic():
        new_students(maple, 3)
        transaction.set_rollback(True)
    assert not is_woken(alarm)
