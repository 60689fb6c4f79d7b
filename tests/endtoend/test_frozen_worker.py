"""A worker that is stopped or hangs is killed, and the next one continues its work."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from rollbook import environment
from tests.endtoend.conftest import Rollbook
from tests.faults.folder import HEADER, row
from tests.installations import execute
from tests.patience import TIMEOUT_S

FROZEN_AFTER_S = 5
STUDENTS = 6_000
IS_FROZEN = "worker is frozen and is killed"  # it is stopped, or its step takes too long
IN_PROGRESS = "SELECT count(*) FROM updates_updatejob WHERE state = 'applying' AND rows_added > 0"


@pytest.fixture
def frozen_soon(rollbook: Rollbook) -> Rollbook:
    """A server whose worker is killed after five seconds without progress."""
    rollbook.extra[environment.FROZEN_AFTER] = str(FROZEN_AFTER_S)
    rollbook.start()
    return rollbook


@pytest.fixture
def new_students(tmp_path: Path) -> Path:
    path = tmp_path / "new.csv"
    rows = "".join(row(number) for number in range(1000, 1000 + STUDENTS))
    path.write_text(HEADER + rows, encoding="utf-8")
    return path


def wait_for(rollbook: Rollbook, text: str) -> None:
    """Wait until the log has this text."""
    deadline = time.monotonic() + TIMEOUT_S
    while text not in rollbook.read_log():
        assert time.monotonic() < deadline, rollbook.read_log()
        time.sleep(0.1)


def worker_of(rollbook: Rollbook) -> int:
    (worker,) = rollbook.descendants("worker")
    return worker


def stop_worker_at_work(rollbook: Rollbook, file: Path) -> None:
    """Start an update and stop the worker in the middle of it."""
    assert rollbook.start_update(file, "mode=add").status == 200
    deadline = time.monotonic() + TIMEOUT_S
    while execute(rollbook.data, IN_PROGRESS) != [(1,)]:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.kill(worker_of(rollbook), signal.SIGSTOP)
    assert execute(rollbook.data, IN_PROGRESS) == [(1,)]


def until_answered(answer: Iterator[int]) -> None:
    """Repeat a command until it succeeds: a worker that is stopped may hold the database's lock."""
    deadline = time.monotonic() + TIMEOUT_S
    while (status := next(answer)) != 200:
        assert time.monotonic() < deadline, status
        time.sleep(0.5)


def students(rollbook: Rollbook) -> list[tuple[int, int]]:
    """Return how many there are, and how many student IDs they have."""
    return execute(
        rollbook.data, "SELECT count(*), count(DISTINCT student_id) FROM students_student"
    )


def test_an_update_whose_worker_is_stopped_completes(
    frozen_soon: Rollbook, new_students: Path
) -> None:
    stop_worker_at_work(frozen_soon, new_students)
    assert frozen_soon.until_ended().startswith("COMPLETED")
    assert IS_FROZEN in frozen_soon.read_log()
    assert execute(frozen_soon.data, "SELECT rows_added FROM updates_updatejob") == [(STUDENTS,)]
    assert students(frozen_soon) == [(STUDENTS, STUDENTS)]


def test_cancel_and_start_work_although_the_worker_is_stopped(
    frozen_soon: Rollbook, new_students: Path
) -> None:
    stop_worker_at_work(frozen_soon, new_students)
    until_answered(frozen_soon.curl("cancel").status for _ in iter(int, 1))
    assert execute(frozen_soon.data, "SELECT state FROM updates_updatejob") == [("canceled",)]
    until_answered(frozen_soon.start_update(new_students, "mode=add").status for _ in iter(int, 1))
    assert frozen_soon.until_ended().startswith("COMPLETED")
    assert students(frozen_soon) == [(STUDENTS, STUDENTS)]
    assert IS_FROZEN in frozen_soon.read_log()


@pytest.mark.only_on("sqlite")  # on PostgreSQL, the worker has a copy of the file in the database
def test_an_update_with_a_step_that_hangs_completes(
    frozen_soon: Rollbook, new_students: Path
) -> None:
    worker = worker_of(frozen_soon)
    os.kill(worker, signal.SIGSTOP)
    until_answered(frozen_soon.start_update(new_students, "mode=add").status for _ in iter(int, 1))
    ((name,),) = execute(frozen_soon.data, "SELECT spool_name FROM updates_updatejob")
    file, aside = frozen_soon.data / "spool" / name, frozen_soon.data.parent / "aside.csv"
    file.rename(aside)
    os.mkfifo(file)  # to open it blocks until somebody writes to it
    os.kill(worker, signal.SIGCONT)
    wait_for(frozen_soon, f"{IS_FROZEN}: a step has taken more than {FROZEN_AFTER_S} s")
    aside.rename(file)
    assert frozen_soon.until_ended().startswith("COMPLETED")
    assert students(frozen_soon) == [(STUDENTS, STUDENTS)]
