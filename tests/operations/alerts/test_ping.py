"""The ping URL, requested from a monitor on this machine over TLS."""

import ssl
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from pytest_django import Settings

from rollbook.operations.alerts import ping
from rollbook.operations.alerts.evaluate import evaluate
from rollbook.operations.alerts.models import PingSchedule
from rollbook.server import tls
from tests.operations.alerts.conftest import NOW, Found

MINUTE = timedelta(minutes=1)


class Monitor:
    """A monitor, which records what it gets.

    Attributes:
        received: Method, path and body of each request.
        status: What it responds with.
    """

    def __init__(self, folder: Path) -> None:
        self.received: list[tuple[str, str, str]] = []
        self.status = 200
        self.server = HTTPServer(("127.0.0.1", 0), self._handler())
        made = tls.self_signed_certificate(folder)
        context = tls.context(made.chain, made.key)
        context.sslsocket_class = ssl.SSLSocket
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.url = f"https://localhost:{self.server.server_port}/5cr3t"

    def _handler(monitor) -> type[BaseHTTPRequestHandler]:  # noqa: N805 - self is the handler's
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                monitor.received.append((self.command, self.path, body))
                self.send_response(monitor.status)
                self.send_header("Location", "http://localhost:1/")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *arguments: object) -> None:
                """Log nothing."""

        return Handler


@pytest.fixture
def monitor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> Iterator[Monitor]:
    monitor = Monitor(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "certificate.pem"))
    settings.PING_URL, settings.PING_MINUTES = monitor.url, 5
    thread = threading.Thread(target=monitor.server.serve_forever, args=(0.01,))
    thread.start()
    yield monitor
    monitor.server.shutdown()
    thread.join()
    monitor.server.server_close()


@pytest.mark.django_db
def test_it_is_requested_every_five_minutes_and_at_once_when_an_alert_changes(
    monitor: Monitor, found: Found
) -> None:
    def check(minute: int) -> None:
        evaluate(NOW + minute * MINUTE)
        ping.send_if_due(NOW + minute * MINUTE)

    for minute in range(8):
        check(minute)
    assert monitor.received == [("POST", "/5cr3t", "")] * 2  # in minutes 0 and 5
    found.update(disk="/srv is full", tape="old")
    check(8)
    check(9)
    assert monitor.received[2:] == [("POST", "/5cr3t/fail", "disk\ntape")]
    found.update(disk="", tape="")
    check(9 + 15)
    assert monitor.received[-1] == ("POST", "/5cr3t", "")


@pytest.mark.statement("S51")
@pytest.mark.django_db
@pytest.mark.parametrize("status", [500, 404, 302])
def test_after_an_error_it_is_requested_again_a_minute_later(
    monitor: Monitor, caplog: pytest.LogCaptureFixture, status: int
) -> None:
    monitor.status = status
    ping.send_if_due(NOW)
    ping.send_if_due(NOW + MINUTE / 2)
    assert f"it responds with {status}" in caplog.text
    assert "5cr3t" not in caplog.text
    monitor.status = 200
    ping.send_if_due(NOW + MINUTE)
    ping.send_if_due(NOW + 2 * MINUTE)
    assert len(monitor.received) == 2


def test_a_query_stays_behind_the_path(monitor: Monitor, settings: Settings) -> None:
    settings.PING_URL = f"{monitor.url}/?create=1"
    assert ping.send(["disk"]) == ""
    assert monitor.received == [("POST", "/5cr3t/fail?create=1", "disk")]


@pytest.mark.statement("S51")
def test_a_monitor_whose_certificate_is_not_trusted_gets_nothing(
    monitor: Monitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    assert "self-signed certificate" in ping.send([])
    assert monitor.received == []


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("https://localhost:1/5cr3t", "Connection refused"),
        ("https://nowhere.invalid/5cr3t", "Name or service not known"),
    ],
)
def test_a_monitor_that_is_gone(settings: Settings, url: str, problem: str) -> None:
    settings.PING_URL = url
    found = ping.send([])
    assert found
    assert "5cr3t" not in found
    assert problem in found or "name resolution" in found


@pytest.mark.statement("S51")
def test_a_monitor_that_does_not_respond_is_given_up(
    monitor: Monitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ping, "TIMEOUT_S", 0.1)
    monitor.server.shutdown()
    assert "time" in ping.send([]).lower()


@pytest.mark.django_db
def test_without_a_url_nothing_is_requested(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.PING_URL = ""
    monkeypatch.delattr(ping, "send")
    ping.send_if_due(NOW)
    assert not PingSchedule.objects.exists()


@pytest.mark.django_db
def test_a_request_that_was_scheduled_with_a_clock_ahead_is_due(monitor: Monitor) -> None:
    ping.send_if_due(NOW + timedelta(days=3650))
    ping.send_if_due(NOW)
    assert len(monitor.received) == 2
