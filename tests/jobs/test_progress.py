"""What a worker reports about its progress: to the supervisor, and to systemd."""

import os
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest

from rollbook import environment, systemd
from rollbook.jobs import progress


class StopThread(Exception):
    """Ends the loop that never ends."""


@pytest.fixture
def pipe(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    read_end, write_end = os.pipe()
    os.set_blocking(write_end, False)
    monkeypatch.setenv(environment.PROGRESS, str(write_end))
    yield read_end
    os.close(read_end)
    os.close(write_end)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What systemd gets."""
    sent: list[str] = []
    monkeypatch.setattr(systemd, "notify", sent.append)
    return sent


def beat_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run the loop of the thread once, in this thread."""

    def stop(seconds: float) -> None:
        assert seconds == progress.HEARTBEAT_INTERVAL_S
        raise StopThread

    with monkeypatch.context() as once:
        once.setattr(time, "sleep", stop)
        with pytest.raises(StopThread):
            progress._send_heartbeats()


def test_a_worker_that_makes_progress_reports_it_to_both(
    pipe: int, sent: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    progress.report_step()
    beat_once(monkeypatch)
    assert os.read(pipe, 100) == progress.STEP + progress.ALIVE
    assert sent == [systemd.WATCHDOG]


def test_the_watchdog_of_systemd_gets_no_pings_while_a_step_hangs(
    sent: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "_step_ended_at", time.monotonic() - progress.MAX_STEP_S - 1)
    beat_once(monkeypatch)
    assert sent == []
    progress.report_step()
    beat_once(monkeypatch)
    assert sent == [systemd.WATCHDOG]


def test_the_start_is_reported(pipe: int, sent: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threading.Thread, "start", lambda thread: None)
    progress.start_reporting()
    assert os.read(pipe, 100) == progress.STEP
    assert sent == [systemd.READY]


def test_a_supervisor_that_does_not_read_blocks_no_worker(pipe: int) -> None:
    with suppress(BlockingIOError):
        while True:
            os.write(int(os.environ[environment.PROGRESS]), bytes(4096))
    progress.report_step()


def test_without_a_supervisor_nothing_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(environment.PROGRESS, raising=False)
    monkeypatch.delattr(os, "write")
    progress.report_step()
