"""``cancel``: applied changes are kept, the rest is not processed."""

import json

import pytest
from django.utils import timezone

from rollbook.accounts.models import AuditEvent, Member
from rollbook.updates import transitions
from rollbook.updates.models import UpdateJob
from rollbook.updates.state_machine import State
from tests.conftest import PASSWORD, make_member
from tests.web.api.test_status import OTHER, work
from tests.web.curl import STUDENTS, Curl, File, basic, first_line, text, verdict

HINT = "(This was cancel; for the status, use https://localhost:8443/slc/studentupdate/status.)"


def test_there_is_nothing_to_cancel_before_the_first_update(curl: Curl) -> None:
    response = curl.cancel()
    assert (response.status_code, text(response)) == (
        200,
        "NOTHING TO CANCEL Maple USD has not started an update yet\n",
    )


def test_an_update_is_canceled(curl: Curl) -> None:  # F43
    curl.start()
    response = curl.cancel()
    assert response.status_code == 200
    assert text(response) == (
        "OK update 1 canceled: 0 students stay updated, 2 were not processed. "
        f"The results will be emailed. {HINT}\n"
    )
    assert UpdateJob.objects.get().state == State.CANCELED


def test_credentials_stored_in_a_browser_are_ignored_for_foreign_pages(curl: Curl) -> None:
    curl.start()
    remembered = basic("ops@maple.example", PASSWORD)
    forged = curl.post(
        "cancel", [("update", "1")], authorization=remembered, origin="https://evil.example"
    )
    assert (forged.status_code, verdict(forged)) == (400, "ERROR missing_login")
    assert curl.post("cancel", [("update", "1")], authorization=remembered).status_code == 200


def test_applied_changes_are_counted(curl: Curl) -> None:
    curl.start(OTHER)
    pk = UpdateJob.objects.get().pk
    transitions.transition(pk, State.CHECKING, run_id="r", started_at=timezone.now())
    transitions.transition(pk, State.APPLYING, rows_updated=1, rows_unchanged=1)
    assert verdict(curl.cancel()) == "OK update 1 canceled"
    UpdateJob.objects.filter(pk=pk).get()
    assert verdict(curl.status()) == "CANCELED update 1"
    assert "1 updated, 1 unchanged, 0 rejected, 1 not processed" in text(curl.status())


def test_canceling_twice_cancels_once(curl: Curl) -> None:
    curl.start()
    curl.cancel()
    assert first_line(curl.cancel()).startswith("NOTHING TO CANCEL update 1 was canceled at ")
    results = (
        AuditEvent.objects.filter(action="cancel").order_by("pk").values_list("result", flat=True)
    )
    assert list(results) == ["done", "nothing to cancel"]


def test_after_the_end_there_is_nothing_to_cancel(curl: Curl) -> None:
    curl.start()
    work()
    response = curl.cancel()
    assert response.status_code == 200
    assert first_line(response).startswith("NOTHING TO CANCEL update 1 completed at ")
    assert UpdateJob.objects.get().state == State.COMPLETED


def test_the_running_update_is_canceled_first_and_the_others_are_listed(curl: Curl) -> None:
    for number in range(3):
        curl.start(File(STUDENTS + b"2%d,Grace,Hopper\r\n" % number))
    transitions.transition(
        UpdateJob.objects.get(number=1).pk, State.CHECKING, run_id="r", started_at=timezone.now()
    )
    response = curl.cancel()
    assert verdict(response) == "OK update 1 canceled"
    assert text(response).endswith("\nWaiting: updates 2 and 3.\n")
    assert verdict(curl.cancel()) == "OK update 2 canceled"


def test_a_waiting_update_can_be_canceled_by_number(curl: Curl) -> None:
    curl.start()
    curl.start(OTHER)
    assert verdict(curl.cancel(("update", "2"))) == "OK update 2 canceled"
    assert UpdateJob.objects.get(number=1).state == State.RECEIVED


def test_an_unknown_number_cancels_nothing(curl: Curl) -> None:
    curl.start()
    assert (
        first_line(curl.cancel(("update", "99"))) == "NOTHING TO CANCEL Maple USD has no update 99"
    )
    assert UpdateJob.objects.get().state == State.RECEIVED


def test_another_district_cannot_cancel_our_updates(curl: Curl, neighbor: Member) -> None:
    curl.start()
    for parts in [(), (("update", "1"),)]:
        assert verdict(Curl(neighbor.email).cancel(*parts)).startswith(
            "NOTHING TO CANCEL Cedar County has"
        )
    assert UpdateJob.objects.get().state == State.RECEIVED


@pytest.mark.parametrize("role", ["school manager", "instructor"])
def test_only_a_district_manager_can_cancel(curl: Curl, manager: Member, role: str) -> None:
    curl.start()
    make_member(manager.district, "it@maple.example", role)
    assert Curl("it@maple.example").cancel().status_code == 403
    assert UpdateJob.objects.get().state == State.RECEIVED


def test_the_response_as_json(curl: Curl) -> None:
    curl.start()
    body = json.loads(curl.cancel(accept="application/json").content)
    assert (body["verdict"], body["canceled"], body["state"], body["not_processed"]) == (
        "OK",
        True,
        "canceled",
        2,
    )
    assert json.loads(curl.cancel(accept="application/json").content)["canceled"] is False
