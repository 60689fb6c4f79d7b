"""``/healthz`` reports problems and reveals no details."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from django.db import OperationalError, connection
from django.http import HttpResponse
from django.test import RequestFactory

from rollbook.updates.engine import WorkerStatus
from rollbook.web import health

ALIVE = WorkerStatus(alive=True, at=datetime(2026, 11, 23, 2, 5, 11, tzinfo=UTC))
GONE = WorkerStatus(
    alive=False, at=datetime(2026, 11, 22, 20, 5, 11, tzinfo=timezone(timedelta(hours=-6)))
)

pytestmark = pytest.mark.django_db


def healthz(
    monkeypatch: pytest.MonkeyPatch, seen: WorkerStatus, accept: str = "*/*"
) -> HttpResponse:
    monkeypatch.setattr(health, "worker_status", lambda: seen)
    return health.healthz(RequestFactory().get("/healthz", headers={"Accept": accept}))


def test_everything_is_ok(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = healthz(monkeypatch, ALIVE)
    assert (answer.status_code, answer.content) == (200, b"OK\n")
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    assert "no-store" in answer["Cache-Control"]


def test_a_missing_worker_is_reported_with_the_time_it_was_last_seen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answer = healthz(monkeypatch, GONE)
    assert (answer.status_code, answer.content) == (
        503,
        b"ERROR worker: no worker has been seen since 02:05:11 UTC\n",
    )


def test_a_worker_that_never_ran_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = healthz(monkeypatch, WorkerStatus(alive=False, at=None))
    assert answer.content == b"ERROR worker: no worker has been seen since the start\n"


def test_an_unavailable_database_is_reported_without_its_message(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail() -> None:
        raise OperationalError("could not connect to db.maple.example as rollbook")

    monkeypatch.setattr(connection, "cursor", fail)
    answer = healthz(monkeypatch, ALIVE)
    assert (answer.status_code, answer.content) == (
        503,
        b"ERROR database: the database is not responding; see the server log\n",
    )


def test_a_monitor_can_get_json(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = healthz(monkeypatch, GONE, accept="application/json")
    assert answer["Content-Type"] == "application/json"
    assert answer.content == (
        b'{"healthy": false, "faults": [{"code": "worker", '
        b'"detail": "no worker has been seen since 02:05:11 UTC"}]}'
    )


def test_only_get_and_head_are_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert health.healthz(RequestFactory().post("/healthz")).status_code == 405
    monkeypatch.setattr(health, "worker_status", lambda: ALIVE)
    assert health.healthz(RequestFactory().head("/healthz")).status_code == 200
