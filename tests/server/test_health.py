"""``/livez``, ``/readyz`` and ``/healthz`` report problems and reveal no details."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

import pytest
from django.db import OperationalError, connection
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory

from rollbook import version
from rollbook.updates.engine import WorkerStatus
from rollbook.web import health

ALIVE = WorkerStatus(alive=True, at=datetime(2026, 11, 23, 2, 5, 11, tzinfo=UTC))
GONE = WorkerStatus(
    alive=False, at=datetime(2026, 11, 22, 20, 5, 11, tzinfo=timezone(timedelta(hours=-6)))
)

View = Callable[[HttpRequest], HttpResponse]

pytestmark = pytest.mark.django_db


def healthz(
    monkeypatch: pytest.MonkeyPatch, seen: WorkerStatus, accept: str = "*/*"
) -> HttpResponse:
    monkeypatch.setattr(health, "worker_status", lambda: seen)
    monkeypatch.setattr(version, "describe", lambda: "9.8.7")
    return health.healthz(RequestFactory().get("/healthz", headers={"Accept": accept}))


def test_everything_is_ok(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = healthz(monkeypatch, ALIVE)
    assert (answer.status_code, answer.content) == (200, b"OK\nRollbook 9.8.7\n")
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    assert "no-store" in answer["Cache-Control"]


def test_a_missing_worker_is_reported_with_the_time_it_was_last_seen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answer = healthz(monkeypatch, GONE)
    assert (answer.status_code, answer.content) == (
        503,
        b"ERROR worker: no worker has been seen since 02:05:11 UTC\nRollbook 9.8.7\n",
    )


def test_a_worker_that_never_ran_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = healthz(monkeypatch, WorkerStatus(alive=False, at=None))
    assert answer.content.startswith(b"ERROR worker: no worker has been seen since the start\n")


def test_an_unavailable_database_is_reported_without_its_message(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail() -> None:
        raise OperationalError("could not connect to db.maple.example as rollbook")

    monkeypatch.setattr(connection, "cursor", fail)
    answer = healthz(monkeypatch, ALIVE)
    assert (answer.status_code, answer.content) == (
        503,
        b"ERROR database: the database is not responding; see the server log\nRollbook 9.8.7\n",
    )


def test_a_monitor_can_get_json(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = healthz(monkeypatch, GONE, accept="application/json")
    assert answer["Content-Type"] == "application/json"
    assert answer.content == (
        b'{"healthy": false, "faults": [{"code": "worker", '
        b'"detail": "no worker has been seen since 02:05:11 UTC"}], "version": "9.8.7"}'
    )


@pytest.mark.parametrize("view", [health.livez, health.readyz, health.healthz])
def test_only_get_and_head_are_allowed(view: View, monkeypatch: pytest.MonkeyPatch) -> None:
    assert view(RequestFactory().post("/")).status_code == 405
    monkeypatch.setattr(health, "worker_status", lambda: ALIVE)
    assert view(RequestFactory().head("/")).status_code == 200


def test_a_process_without_a_database_is_alive_but_not_ready(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail() -> None:
        raise OperationalError("could not connect to db.maple.example as rollbook")

    monkeypatch.setattr(connection, "cursor", fail)
    live, ready = Client().get("/livez", secure=True), Client().get("/readyz", secure=True)
    assert (live.status_code, live.content) == (200, b"OK\n")
    assert (ready.status_code, ready.content) == (
        503,
        b"ERROR database: the database is not responding; see the server log\n",
    )


def test_the_worker_is_no_part_of_readiness(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "worker_status", lambda: GONE)
    ready = Client().get("/readyz", secure=True, HTTP_ACCEPT="application/json")
    assert (ready.status_code, ready.json()) == (200, {"healthy": True, "faults": []})


def test_a_database_that_fails_after_the_checks_is_reported(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail() -> None:
        raise OperationalError

    monkeypatch.setattr(health, "worker_status", fail)
    answer = Client().get("/healthz", secure=True)
    assert (answer.status_code, answer.content[:15]) == (503, b"ERROR database:")
