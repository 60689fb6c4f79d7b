"""The check of every minute, in web servers too: it ends with its work done or with a log line."""

import threading
from collections.abc import Callable, Iterator

import pytest
from django.core import mail
from django.db import OperationalError, connections
from pytest_django import Settings

from rollbook.operations.alerts import ping, watch
from tests.operations.alerts.conftest import Found


class Stop(threading.Event):
    """Is set after a number of checks, without waiting."""

    def __init__(self, checks: int) -> None:
        super().__init__()
        self.checks = checks

    def wait(self, timeout: float | None = None) -> bool:
        assert timeout == watch.CHECK_INTERVAL_S
        self.checks -= 1
        return self.checks < 0


@pytest.fixture(autouse=True)
def keep_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is the test's."""
    monkeypatch.setattr(connections, "close_all", lambda: None)


@pytest.fixture
def pings(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> list[list[str]]:
    """The codes of each request of the ping URL."""
    pings: list[list[str]] = []

    def send(codes: list[str]) -> str:
        pings.append(codes)
        return ""

    monkeypatch.setattr(ping, "send", send)
    settings.PING_URL = "https://monitor.example/5cr3t"
    return pings


@pytest.mark.django_db
def test_a_web_server_notifies_the_operator_by_itself(
    found: Found, operators: tuple[str, ...], pings: list[list[str]]
) -> None:
    found["disk"] = "full"
    watch.watch_until(Stop(checks=3))
    assert [message.subject for message in mail.outbox] == [
        "The disk has a problem · Rollbook"
    ] * len(operators)
    assert pings == [["disk"]]


def failing(errors: Iterator[Exception | None]) -> Callable[[], int]:
    def check() -> int:
        error = next(errors)
        if error:
            raise error
        return 0

    return check


def test_a_database_that_stays_away_is_reported_to_the_ping_url_only(
    pings: list[list[str]], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    gone = OperationalError("gone")
    errors: list[Exception | None] = [gone, gone, None, gone, gone, gone, gone, None]
    monkeypatch.setattr(watch, "check", failing(iter(errors)))
    watch.watch_until(Stop(checks=len(errors)))
    assert pings == [["database"], ["database"]]
    assert "alerts cannot be checked without the database" in caplog.text


def test_a_fault_of_ours_does_not_end_the_checks(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    checks: list[Exception | None] = [ValueError("ours"), None]
    monkeypatch.setattr(watch, "check", failing(iter(checks)))
    watch.watch_until(Stop(checks=2))
    assert "alerts cannot be checked" in caplog.text
