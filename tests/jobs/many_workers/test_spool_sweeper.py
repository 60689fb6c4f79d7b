"""Every machine sweeps the folder of its own."""

import threading
import time

import pytest
from django.conf import settings

from rollbook.jobs.many_workers import spool_sweeper
from rollbook.updates.receiving import files, receive

pytestmark = pytest.mark.django_db(transaction=True)


def test_what_is_left_over_is_swept_again_and_again_until_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(spool_sweeper, "SWEEP_INTERVAL_S", 0.01)
    sweep, faults = receive.remove_orphaned_files, [OSError("away"), OSError("away")]

    def sweep_in_the_end() -> int:
        if faults:
            raise faults.pop()
        return sweep()

    monkeypatch.setattr(receive, "remove_orphaned_files", sweep_in_the_end)
    stop = threading.Event()
    sweeping = threading.Thread(target=spool_sweeper.sweep_until, args=(stop,))
    sweeping.start()
    try:
        for name in ("first", "second"):
            files.path_of(name).touch()
            deadline = time.monotonic() + 30
            while files.path_of(name).exists():
                assert time.monotonic() < deadline
                time.sleep(0.01)
    finally:
        stop.set()
        sweeping.join()


def test_a_web_server_does_so_where_there_are_many_machines(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    begun = threading.Event()
    monkeypatch.setattr(spool_sweeper, "sweep_until", lambda stop: begun.set())
    spool_sweeper.sweep_of_a_web_server()
    assert begun.wait(10 if settings.ON_POSTGRESQL else 0.1) is settings.ON_POSTGRESQL
