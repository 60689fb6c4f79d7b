"""Each state change of an update is logged once, after its commit."""

import json
import logging

import pytest
from django.db import OperationalError, transaction
from pytest_django import DjangoCaptureOnCommitCallbacks

from rollbook.districts.models import District
from rollbook.log_format import JsonFormatter
from rollbook.updates import runner, state_log, transitions
from rollbook.updates.state_machine import State
from tests.updates.night import a_class, send

Commit = DjangoCaptureOnCommitCallbacks


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO, logger="rollbook")
    return caplog


def facts(log: pytest.LogCaptureFixture) -> list[dict[str, object]]:
    """Return the JSON lines without what depends on the clock."""
    lines = [json.loads(JsonFormatter().format(record)) for record in log.records]
    for line in lines:
        assert isinstance(line.pop("seconds", 0.0), float)
        assert line.pop("timestamp")
        assert line.pop("logger") == "rollbook.updates.state_log"
    return lines


def test_each_state_of_an_update_is_one_line(
    maple: District,
    log: pytest.LogCaptureFixture,
    django_capture_on_commit_callbacks: Commit,
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        update = send(maple, a_class(3))
        for _ in runner.run_steps(update.pk):
            pass
    assert [line["state"] for line in facts(log)] == [
        "received",
        "checking",
        "applying",
        "completed",
    ]
    last = facts(log)[-1]
    assert str(last.pop("message")).startswith(
        "update 1 of maple-usd is completed: 3 rows, 0 updated, 0 added, 0 unchanged, 3 rejected, "
        "0 not processed; "
    )
    assert last == {
        "level": "INFO",
        "district": "maple-usd",
        "update": 1,
        "state": "completed",
        "rows": 3,
        "updated": 0,
        "added": 0,
        "unchanged": 0,
        "rejected": 3,
        "not_processed": 0,
    }


def test_a_failed_update_is_an_error_with_its_reference(
    maple: District,
    log: pytest.LogCaptureFixture,
    django_capture_on_commit_callbacks: Commit,
) -> None:
    update = send(maple, a_class(3))
    transitions.transition(update.pk, State.CHECKING)
    with django_capture_on_commit_callbacks(execute=True):
        transitions.transition(update.pk, State.FAILED, error_reference="8f3a1c")
    [line] = facts(log)
    assert (line["level"], line["reference"], line["not_processed"]) == ("ERROR", "8f3a1c", 3)
    assert str(line["message"]).endswith(" since it was received, reference 8f3a1c")


def test_a_change_that_is_not_made_or_rolled_back_is_not_logged(
    maple: District,
    log: pytest.LogCaptureFixture,
    django_capture_on_commit_callbacks: Commit,
) -> None:
    update = send(maple, a_class(3))
    with django_capture_on_commit_callbacks(execute=True):
        assert not transitions.transition(update.pk, State.COMPLETED)
        with transaction.atomic():
            transitions.transition(update.pk, State.CHECKING)
            transaction.set_rollback(True)
    assert log.records == []


def test_a_database_that_fails_after_the_commit_loses_only_the_details(
    maple: District,
    log: pytest.LogCaptureFixture,
    django_capture_on_commit_callbacks: Commit,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    update = send(maple, a_class(3))

    class Gone:
        class objects:  # noqa: N801 - as Django names it
            @staticmethod
            def raw(*statement: object) -> None:
                raise OperationalError

    monkeypatch.setattr(state_log, "UpdateJob", Gone)
    with django_capture_on_commit_callbacks(execute=True):
        transitions.transition(update.pk, State.CANCELED)
    assert [record.getMessage() for record in log.records] == [
        f"update with key {update.pk} is canceled"
    ]
