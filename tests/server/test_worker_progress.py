"""When the supervisor takes a worker for frozen; the clock is the test's."""

import os
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from rollbook import environment
from rollbook.jobs.progress import ALIVE, MAX_STEP_S, STEP
from rollbook.server import worker_progress
from rollbook.server.worker_progress import MAX_SILENCE_S, START_S, WorkerProgress

CHECK_S = 0.1


class Clock:
    now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(worker_progress, "time", clock)
    return clock


@pytest.fixture
def progress(clock: Clock) -> Iterator[WorkerProgress]:
    progress = WorkerProgress()
    yield progress
    progress.close()


@pytest.fixture
def run(clock: Clock, progress: WorkerProgress) -> Callable[..., str]:
    def run(seconds: float, **interval_s: float) -> str:
        """Let time pass, with a signal each so many seconds; return the first problem."""
        sent_at = dict.fromkeys(interval_s, clock.now)
        end = clock.now + seconds
        while clock.now < end:
            clock.now += CHECK_S
            for name, interval in interval_s.items():
                if clock.now - sent_at[name] >= interval:
                    os.write(progress.write_end, {"alive": ALIVE, "step": STEP}[name])
                    sent_at[name] = clock.now
            if problem := progress.find_problem():
                return problem
        return ""

    return run


STOPPED = "it has been stopped for more than 60 s"
HANGS = "a step has taken more than 300 s"


@pytest.mark.parametrize(
    ("seconds", "interval_s", "problem"),
    [
        (2 * MAX_STEP_S, {"alive": 1, "step": 0.25}, ""),
        (2 * MAX_STEP_S, {"alive": 1.2, "step": 1.2}, ""),  # each fsync takes 200 ms
        (2 * MAX_STEP_S, {"alive": 20, "step": 200}, ""),  # the machine swaps
        (MAX_STEP_S + START_S - 1, {"alive": 1}, ""),  # one long step
        (MAX_STEP_S + START_S + 1, {"alive": 1}, HANGS),
        (MAX_SILENCE_S + START_S - 1, {}, ""),  # Python and Django are loaded slowly
        (MAX_SILENCE_S + START_S + 1, {}, STOPPED),
    ],
)
def test_a_worker_is_frozen_if_one_of_its_signals_is_missing_for_too_long(
    run: Callable[..., str], seconds: float, interval_s: dict[str, float], problem: str
) -> None:
    assert run(seconds, **interval_s) == problem


def test_the_limits_apply_after_the_last_signal(run: Callable[..., str]) -> None:
    assert run(10, alive=1, step=1) == ""
    assert run(MAX_SILENCE_S - 2) == ""
    assert run(3) == STOPPED


def test_the_next_worker_starts_afresh(run: Callable[..., str], progress: WorkerProgress) -> None:
    assert run(MAX_SILENCE_S + START_S + 1) == STOPPED
    progress.restart()
    assert run(MAX_SILENCE_S) == ""


def test_time_in_which_this_process_was_suspended_does_not_count(
    run: Callable[..., str], clock: Clock, progress: WorkerProgress
) -> None:
    assert run(10, alive=1, step=1) == ""
    clock.now += 8 * 3600
    assert progress.find_problem() == ""
    assert run(10, alive=1, step=1) == ""


def test_a_full_pipe_blocks_neither_end(progress: WorkerProgress) -> None:
    with suppress(BlockingIOError):
        while True:
            os.write(progress.write_end, ALIVE * 4096)
    assert progress.find_problem() == ""


def test_tests_can_shorten_the_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    assert worker_progress.limits_from_environment() == {ALIVE: MAX_SILENCE_S, STEP: MAX_STEP_S}
    monkeypatch.setenv(environment.FROZEN_AFTER, "2.5")
    assert worker_progress.limits_from_environment() == {ALIVE: 2.5, STEP: 2.5}
