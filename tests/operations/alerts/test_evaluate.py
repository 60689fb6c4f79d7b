"""Conditions become alerts, and alerts become emails: one of each, however many processes check."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import IntegrityError, connections, transaction
from django.utils import timezone
from pytest_django import Settings

from rollbook.operations.alerts import mails
from rollbook.operations.alerts.evaluate import evaluate
from rollbook.operations.alerts.models import Alert, AlertMail, AlertState
from tests.operations.alerts.conftest import NOW, OPERATORS, Found

MINUTE = timedelta(minutes=1)


def states() -> dict[str, str]:
    return dict(Alert.objects.order_by("code").values_list("code", "state"))


def events() -> list[tuple[str, list[str]]]:
    """Return the events of the emails to the first operator, with the codes."""
    queued = AlertMail.objects.filter(to_address=OPERATORS[0]).order_by("pk")
    return [(email.event, [alert["code"] for alert in email.alerts]) for email in queued]


@pytest.mark.django_db
def test_while_nothing_is_found_there_is_no_alert(found: Found, operators: tuple[str, ...]) -> None:
    evaluate(NOW)
    assert (states(), events()) == ({}, [])


@pytest.mark.django_db
def test_an_alert_from_the_beginning_to_the_end(found: Found, operators: tuple[str, ...]) -> None:
    found["disk"] = "1.2 GB are free"
    for minute in range(3):
        evaluate(NOW + minute * MINUTE)
    assert states() == {"disk": "notified"}
    found["disk"] = ""
    evaluate(NOW + 30 * MINUTE)
    assert states() == {"disk": "resolved"}
    assert events() == [("opened", ["disk"]), ("resolved", ["disk"])]
    assert AlertMail.objects.count() == 2 * len(operators)


@pytest.mark.django_db
def test_alerts_that_open_together_are_in_one_email(
    found: Found, operators: tuple[str, ...]
) -> None:
    found.update(disk="full", tape="old", worker="gone")
    evaluate(NOW)
    assert states() == {"disk": "notified", "tape": "notified", "worker": "open"}
    evaluate(NOW + 5 * MINUTE)
    assert events() == [("opened", ["disk", "tape"]), ("opened", ["worker"])]


@pytest.mark.django_db
def test_without_a_channel_an_alert_stays_open_until_there_is_one(
    found: Found, settings: Settings
) -> None:
    settings.OPERATOR_EMAIL, settings.PING_URL = (), ""
    found["disk"] = "full"
    evaluate(NOW)
    evaluate(NOW + 60 * MINUTE)
    assert (states(), events()) == ({"disk": "open"}, [])
    settings.OPERATOR_EMAIL = OPERATORS
    evaluate(NOW + 61 * MINUTE)
    assert (states(), events()) == ({"disk": "notified"}, [("opened", ["disk"])])


@pytest.mark.django_db
def test_a_condition_that_cannot_be_checked_changes_nothing_and_hides_no_other(
    found: Found,
    operators: tuple[str, ...],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    found.update(disk="full", tape="old")
    evaluate(NOW)
    del found["disk"]  # its function raises KeyError
    found["tape"] = ""
    evaluate(NOW + 20 * MINUTE)
    assert states() == {"disk": "notified", "tape": "resolved"}
    assert "the condition disk cannot be checked" in caplog.text


@pytest.mark.django_db
def test_an_alert_of_another_version_is_left_alone(
    found: Found, operators: tuple[str, ...]
) -> None:
    Alert.objects.create(code="newer", state="open", detail="x", opened_at=NOW, seen_at=NOW)
    evaluate(NOW + 60 * MINUTE)
    assert (states(), events()) == ({"newer": "open"}, [])


@pytest.mark.django_db
def test_a_long_description_is_cut(found: Found, operators: tuple[str, ...]) -> None:
    found["disk"] = "x" * 1000
    evaluate(NOW)
    assert Alert.objects.get().detail == "x" * 300


@pytest.mark.django_db(transaction=True)
def test_a_process_that_dies_before_the_commit_leaves_neither_alert_nor_email(
    found: Found, operators: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    found["disk"] = "full"
    with monkeypatch.context() as dying:
        dying.setattr("rollbook.operations.alerts.ping.make_due", lambda now: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            evaluate(NOW)
    assert (states(), AlertMail.objects.count()) == ({}, 0)
    evaluate(NOW)
    assert events() == [("opened", ["disk"])]


def in_threads(work: Any, count: int = 4) -> None:
    """Do the work as many processes would, each with a connection of its own."""
    barrier = threading.Barrier(count)

    def run() -> None:
        barrier.wait()
        try:
            work()
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@pytest.mark.django_db(transaction=True)
def test_several_processes_send_one_email(found: Found, operators: tuple[str, ...]) -> None:
    found["disk"], now = "full", timezone.now()
    in_threads(lambda: evaluate(now))
    assert events() == [("opened", ["disk"])]
    in_threads(mails.send_due)
    assert sorted(to for message in mail.outbox for to in message.to) == sorted(OPERATORS)
    found["disk"] = ""
    in_threads(lambda: evaluate(now + 20 * MINUTE))
    assert events() == [("opened", ["disk"]), ("resolved", ["disk"])]


@pytest.mark.django_db
@pytest.mark.parametrize(
    "wrong",
    [
        {"state": "unknown"},
        {"state": AlertState.NOTIFIED, "notified_at": None},
        {"state": AlertState.RESOLVED, "resolved_at": None},
        {"state": AlertState.OPEN, "resolved_at": NOW},
    ],
)
def test_the_database_refuses_impossible_rows(wrong: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Alert.objects.create(code="disk", detail="x", opened_at=NOW, seen_at=NOW, **wrong)
