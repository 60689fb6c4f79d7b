"""Every machine sweeps its own spool folder."""

import os
import threading
import time

import pytest
from django.conf import settings

from rollbook.accounts import installation_id
from rollbook.jobs.many_workers import spool_sweeper
from rollbook.updates.receiving import files, receive
from tests.patience import TIMEOUT_S

pytestmark = pytest.mark.django_db(transaction=True)


def test_orphaned_files_are_swept_repeatedly(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(spool_sweeper, "SWEEP_INTERVAL_S", 0.01)
    sweep, errors = receive.remove_orphaned_files, [OSError("away"), OSError("away")]

    def fail_at_first() -> int:
        if errors:
            raise errors.pop()
        return sweep()

    monkeypatch.setattr(receive, "remove_orphaned_files", fail_at_first)
    stop = threading.Event()
    sweeping = threading.Thread(target=spool_sweeper.sweep_until, args=(stop,))
    sweeping.start()
    try:
        for name in ("first", "second"):
            path = files.path_of(installation_id.file_prefix() + name)
            path.touch()
            os.utime(path, (0, 0))
            deadline = time.monotonic() + TIMEOUT_S
            while path.exists():
                assert time.monotonic() < deadline
                time.sleep(0.01)
    finally:
        stop.set()
        sweeping.join()


def test_a_web_server_sweeps_where_there_can_be_many_machines(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    started = threading.Event()
    monkeypatch.setattr(spool_sweeper, "sweep_until", lambda stop: started.set())
    spool_sweeper.start_sweeper_of_web_server()
    assert started.wait(10 if settings.ON_POSTGRESQL else 0.1) is settings.ON_POSTGRESQL
