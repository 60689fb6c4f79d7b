"""``status``: the progress of an update, or its result."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from rollbook.accounts.models import AuditEvent, Member
from rollbook.updates import transitions
from rollbook.updates.engine import WorkerStatus
from rollbook.updates.models import UpdateJob
from rollbook.updates.runner import run_steps
from rollbook.updates.state_machine import State
from tests.conftest import make_member
from tests.web.curl import STUDENTS, Curl, File, Part, basic, first_line, text, verdict

OTHER = File(STUDENTS + b"102,Grace,Hopper\r\n")


def work(number: int = 1) -> None:
    """Run an update of Maple to its end."""
    for _ in run_steps(UpdateJob.objects.get(number=number).pk):
        pass


def test_before_the_first_update_there_is_none(curl: Curl) -> None:
    response = curl.status()
    assert (response.status_code, text(response)) == (
        200,
        "NONE Maple USD has not started an update yet\n",
    )


def test_a_number_that_does_not_exist_is_none_too(curl: Curl) -> None:
    curl.start()
    response = curl.status(("update", "99"))
    assert (response.status_code, text(response)) == (200, "NONE Maple USD has no update 99\n")


def test_an_update_that_was_just_received(curl: Curl) -> None:
    curl.start()
    assert text(curl.status()) == "RUNNING update 1: checking, 0 of 2 rows read (0 %)\n"


def test_an_update_in_progress(curl: Curl) -> None:
    curl.start()
    begun = timezone.now() - timedelta(seconds=10)
    transitions.transition(
        UpdateJob.objects.get().pk,
        State.CHECKING,
        run_id="r",
        started_at=begun,
        progressed_at=timezone.now(),
        rows_read=1,
    )
    line = first_line(curl.status())
    assert line.startswith("RUNNING update 1: checking, 1 of 2 rows read (50 %), started ")
    assert line.endswith(" left")


def test_an_update_that_has_ended(curl: Curl) -> None:
    curl.start()
    work()
    assert verdict(curl.status()).startswith("COMPLETED WITH ERRORS update 1")


def test_without_a_number_the_running_update_is_shown_and_others_listed(curl: Curl) -> None:
    curl.start()
    curl.start(OTHER)
    curl.start(File(STUDENTS + b"103,Mary,Jackson\r\n"))
    transitions.transition(
        UpdateJob.objects.get(number=1).pk, State.CHECKING, run_id="r", started_at=timezone.now()
    )
    response = curl.status()
    assert verdict(response) == "RUNNING update 1"
    assert text(response).endswith("\nWaiting: updates 2 and 3.\n")


def test_a_waiting_update_lists_the_updates_ahead_of_it(curl: Curl) -> None:
    curl.start()
    curl.start(OTHER)
    transitions.transition(
        UpdateJob.objects.get(number=1).pk, State.CHECKING, run_id="r", started_at=timezone.now()
    )
    assert (
        text(curl.status(("update", "2")))
        == "RUNNING update 2: waiting for update 1\nRunning: update 1.\n"
    )


def test_without_a_running_update_the_newest_is_shown(curl: Curl) -> None:
    curl.start()
    curl.cancel()
    curl.start(OTHER)
    curl.cancel()
    assert verdict(curl.status()) == "CANCELED update 2"
    assert verdict(curl.status(("update", "1"))) == "CANCELED update 1"


def test_the_starter_is_shown_to_others(curl: Curl, manager: Member) -> None:
    curl.start()
    make_member(manager.district, "it@maple.example")
    assert text(Curl("it@maple.example").status()).endswith(
        "\nStarted by Ana Ruiz (ops@maple.example).\n"
    )
    assert "Started by" not in text(curl.status())


def test_a_missing_worker_is_reported(
    curl: Curl, worker: Callable[[WorkerStatus], None]
) -> None:  # F12
    curl.start()
    worker(WorkerStatus(False, datetime(2026, 11, 20, 8, 7, 11, tzinfo=UTC)))
    assert first_line(curl.status()) == (
        "RUNNING update 1: waiting; no worker has been seen since 2026-11-20 02:07:11 CST; "
        "nothing is lost; tell your Rollbook administrator"
    )


def test_another_district_cannot_see_it(curl: Curl, neighbor: Member) -> None:
    curl.start()
    assert (
        text(Curl(neighbor.email).status()) == "NONE Cedar County has not started an update yet\n"
    )
    assert (
        text(Curl(neighbor.email).status(("update", "1"))) == "NONE Cedar County has no update 1\n"
    )


def test_repeated_requests_are_audited_once_a_day(curl: Curl) -> None:
    for _ in range(3):
        curl.status()
    assert AuditEvent.objects.count() == 1


def test_unknown_fields_are_listed(curl: Curl) -> None:
    assert "Ignored unknown fields: school_year." in text(curl.status(("school_year", "2026")))


@pytest.mark.parametrize(
    ("parts", "code"),
    [
        ([("wait", "61")], "wrong_value"),
        ([("wait", "-1")], "wrong_value"),
        ([("wait", "soon")], "wrong_value"),
        ([("check", "yes")], "field_elsewhere"),
        ([("mode", "add")], "field_elsewhere"),
        ([("update", "last")], "wrong_value"),
        ([("updat", "1")], "misspelled_field"),
        ([("file", File())], "file_not_expected"),
        ([("update", "1"), ("update", "2")], "duplicate_field"),
    ],
)
def test_a_wrong_form(curl: Curl, parts: list[Part], code: str) -> None:
    response = curl.status(*parts)
    assert (response.status_code, verdict(response)) == (400, f"ERROR {code}")


@pytest.mark.statement("S26")
def test_a_body_over_64_kib_is_never_read(curl: Curl) -> None:
    response = curl.status(("school_year", "x" * 66_000))
    assert (response.status_code, verdict(response)) == (413, "ERROR too_large")


def test_basic_is_enough_with_an_otherwise_empty_form(curl: Curl) -> None:
    response = curl.post(
        "status", [("update", "1")], authorization=basic(*(str(value) for _, value in curl.sign_in))
    )
    assert verdict(response).startswith("NONE")


def test_basic_is_enough_without_any_form(curl: Curl) -> None:
    header = basic(*(str(value) for _, value in curl.sign_in))
    for length in ({}, {"CONTENT_LENGTH": "0"}):
        answer = curl.client.generic(
            "POST",
            "/slc/studentupdate/status",
            secure=True,
            content_type="",
            **{"HTTP_AUTHORIZATION": header, **length},  # type: ignore[arg-type]
        )
        assert verdict(answer).startswith("NONE")


def test_without_a_form_and_without_basic_the_login_is_missing(curl: Curl) -> None:
    answer = curl.client.generic("POST", "/slc/studentupdate/status", secure=True, content_type="")
    assert verdict(answer) == "ERROR missing_login"


def test_the_response_as_json(curl: Curl) -> None:
    curl.start()
    response = curl.status(accept="application/json")
    body = json.loads(response.content)
    assert (response.status_code, body["message"] + "\n") == (200, text(curl.status()))
    assert (body["verdict"], body["update"], body["state"], body["seconds_left"]) == (
        "RUNNING",
        1,
        "received",
        None,
    )


def test_none_as_json(curl: Curl) -> None:
    body = json.loads(curl.status(accept="application/json").content)
    assert (body["verdict"], body["update"]) == ("NONE", None)
