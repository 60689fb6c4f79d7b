"""A client from Maple USD, a worker status, and a spool that is emptied after each test."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
from django.conf import settings

from rollbook.accounts.models import Member
from rollbook.updates.engine import WorkerStatus
from rollbook.updates.models import UpdateJob
from rollbook.updates.reporting import status_json
from tests.web.curl import Curl

NOW = datetime(2026, 11, 23, 8, 5, 30, tzinfo=UTC)


@pytest.fixture
def curl(manager: Member) -> Curl:
    return Curl(manager.email)


@pytest.fixture(autouse=True)
def worker(monkeypatch: pytest.MonkeyPatch) -> Callable[[WorkerStatus], None]:
    """Set the worker status that the views read; a worker is running unless a test sets another."""

    def set_status(status: WorkerStatus) -> None:
        monkeypatch.setattr(status_json, "worker_status", lambda: status)

    set_status(WorkerStatus(True, NOW))
    return set_status


@pytest.fixture(autouse=True)
def spool() -> Iterator[Callable[[], int]]:
    """Return a function that counts the files in the spool; it is emptied after each test."""
    settings.SPOOL.mkdir(mode=0o700, parents=True, exist_ok=True)
    yield lambda: sum(1 for _ in settings.SPOOL.iterdir())
    for path in settings.SPOOL.iterdir():
        path.unlink()


@pytest.fixture
def nothing_kept(db: None, spool: Callable[[], int]) -> Iterator[None]:
    """Check after the test that there is no update and no file."""
    yield
    assert not UpdateJob.objects.exists()
    assert spool() == 0
