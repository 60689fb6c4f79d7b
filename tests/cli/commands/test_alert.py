"""``rollbook alert list`` and ``rollbook alert test``."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.core import mail
from django.core.mail import EmailMultiAlternatives
from pytest_django import Settings

from rollbook.operations.alerts import ping
from rollbook.operations.alerts.models import Alert
from tests.cli.conftest import Rollbook

NOW = datetime(2026, 11, 29, 8, 5, tzinfo=UTC)

pytestmark = pytest.mark.django_db


@pytest.fixture
def alerts() -> None:
    common = {"opened_at": NOW, "seen_at": NOW}
    Alert.objects.create(
        code="emails_stuck", state="resolved", detail="2 emails", resolved_at=NOW, **common
    )
    Alert.objects.create(
        code="worker_gone", state="notified", detail="none has run", notified_at=NOW, **common
    )


def test_list_without_alerts(rollbook: Rollbook) -> None:
    assert rollbook("alert", "list").out == "There are no alerts.\n"


@pytest.mark.usefixtures("alerts")
def test_list_shows_what_is_wrong_first_and_how_to_fix_it(rollbook: Rollbook) -> None:
    assert rollbook("alert", "list").out == (
        f"code          state     since{' ' * 20}what was found\n"
        "worker_gone   notified  <time>  none has run\n"
        "emails_stuck  resolved  <time>  2 emails\n"
        "\n"
        "worker_gone: Start `rollbook serve`, or on many machines `rollbook worker`, and see its "
        "log.\n"
    )


@pytest.mark.usefixtures("alerts")
def test_a_terminal_shows_states_with_signs_and_colors(
    rollbook: Rollbook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    _, notified, resolved, *_ = rollbook("alert", "list").out.splitlines()
    assert "\x1b[31m✕ notified\x1b[0m  " in notified
    assert "\x1b[32m✓ resolved\x1b[0m  " in resolved


@pytest.mark.usefixtures("alerts")
def test_list_as_json(rollbook: Rollbook) -> None:
    [first, second] = json.loads(rollbook("alert", "list", "--json").out)["alerts"]
    assert (first["code"], first["state"], first["opened_at"]) == (
        "worker_gone",
        "notified",
        "2026-11-29T08:05:00+00:00",
    )
    assert (second["code"], second["resolved_at"]) == ("emails_stuck", "2026-11-29T08:05:00+00:00")


def test_test_without_a_channel(rollbook: Rollbook, settings: Settings) -> None:
    settings.OPERATOR_EMAIL, settings.PING_URL = (), ""
    result = rollbook("alert", "test")
    assert result.code == 1
    assert result.err.startswith("ERROR no_alert_channel: neither ROLLBOOK_OPERATOR_EMAIL nor ")


@pytest.mark.usefixtures("alerts")
def test_test_uses_every_channel(
    rollbook: Rollbook, settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    settings.OPERATOR_EMAIL = ("ops@host.example", "night@host.example")
    settings.PING_URL, settings.EMAIL_HOST = "https://monitor.example/5cr3t", "mail.example"
    pinged: list[list[str]] = []

    def send(codes: list[str]) -> str:
        pinged.append(codes)
        return ""

    monkeypatch.setattr(ping, "send", send)
    result = rollbook("alert", "test")
    assert (result.code, result.err) == (0, "")
    assert result.out == (
        "Test email sent to ops@host.example.\n"
        "Test email sent to night@host.example.\n"
        "Ping URL requested.\n"
    )
    assert [message.subject for message in mail.outbox] == ["Test of alerts · Rollbook"] * 2
    assert pinged == [["worker_gone"]]


def test_test_says_that_emails_are_only_saved(rollbook: Rollbook, settings: Settings) -> None:
    settings.OPERATOR_EMAIL, settings.PING_URL = ("ops@host.example",), ""
    settings.EMAIL_HOST = ""
    assert f"as a file in {settings.MAIL_FOLDER}." in rollbook("alert", "test").out


def test_test_fails_if_one_channel_fails_but_tries_all(
    rollbook: Rollbook, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.OPERATOR_EMAIL = ("ops@host.example",)
    settings.PING_URL = "https://monitor.example/5cr3t"

    def refuse(message: object) -> None:
        raise ConnectionRefusedError

    monkeypatch.setattr(EmailMultiAlternatives, "send", refuse)
    monkeypatch.setattr(ping, "send", lambda codes: "it responds with 404")
    result = rollbook("alert", "test")
    assert (result.code, result.out) == (1, "")
    assert result.err == (
        "ERROR alert_test_failed: the email to ops@host.example could not be sent "
        "(ConnectionRefusedError); ROLLBOOK_PING_URL could not be requested (it responds with "
        "404); `rollbook doctor` checks the mail server\n"
    )
