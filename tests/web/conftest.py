"""A caller from Maple USD, a worker that seems alive, and a spool that must be empty when nothing was accepted."""

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
    """Lets the doors see a worker that lives, or what a test wants them to see."""

    def seen(what: WorkerStatus) -> None:
        monkeypatch.setattr(status_json, "worker_status", lambda: what)

    seen(WorkerStatus(True, NOW))
    return seen


@pytest.fixture(autouse=True)
def spool() -> Iterator[Callable[[], int]]:
    """How many files the spool holds; it is emptied after each test, and must hold nothing that no update names."""
    settings.SPOOL.mkdir(mode=0o700, parents=True, exist_ok=True)
    yield lambda: sum(1 for _ in settings.SPOOL.iterdir())
    for path in settings.SPOOL.iterdir():
        path.unlink()


@pytest.fixture
def nothing_kept(db: None, spool: Callable[[], int]) -> Iterator[None]:
    """After the test there is no update and no file."""
    yield
    assert not UpdateJob.objects.exists()
    assert spool() == 0
