"""The upload commands and plans: dry runs, held updates, notes, and waiting for the end."""

import threading

import pytest
from django.utils import timezone

from rollbook.accounts.models import Member
from rollbook.districts.models import District
from rollbook.updates.models import UpdateJob
from rollbook.updates.planning import decisions
from rollbook.updates.planning.decisions import Decider
from rollbook.updates.state_machine import State
from rollbook.web.api import waiting
from tests.conftest import make_member
from tests.updates.night import a_class, dump, enroll, finish
from tests.updates.planning.test_judge import movers
from tests.web.curl import Curl, File, text, verdict


@pytest.fixture
def roster(maple: District) -> District:
    enroll(maple, a_class(200))
    return maple


def latest() -> UpdateJob:
    return UpdateJob.objects.order_by("-number")[0]


def test_a_dry_run_changes_nothing_and_says_what_it_would(curl: Curl, roster: District) -> None:
    before = dump(roster)
    response = curl.start(File(movers(5).encode()), ("check", "yes"))
    assert text(response).startswith("OK update 2 accepted: ")
    finish(latest())
    assert dump(roster) == before
    number = ("update", "2")
    assert text(curl.status(number)).splitlines()[0] == (
        "CHECKED update 2: 5 students would change, 5 would change school; apply or discard it at "
        "https://localhost:8443/updates/2"
    )
    assert "update 1" in text(curl.status())


def test_a_held_update_says_why_and_where_to_decide(curl: Curl, roster: District) -> None:
    curl.start(File(movers(60).encode()))
    finish(latest())
    assert text(curl.status()).splitlines()[0] == (
        "HELD update 2: 60 of 200 students would change school, and 1 other limit would be "
        "exceeded; approve or discard it at https://localhost:8443/updates/2"
    )
    again = curl.start(File(movers(60).encode()))
    assert (verdict(again), again["Idempotent-Replayed"]) == ("HELD update 2", "true")


def test_cancel_discards_a_plan(curl: Curl, roster: District) -> None:
    curl.start(File(movers(60).encode()))
    finish(latest())
    assert text(curl.cancel()).splitlines()[0] == "OK update 2 discarded; nothing was applied"
    assert text(curl.status()).splitlines()[0] == "DISCARDED update 2: nothing was applied"
    assert text(curl.cancel()).startswith("NOTHING TO CANCEL update 2 was discarded at ")


def test_an_approved_plan_waits_for_the_running_update(curl: Curl, roster: District) -> None:
    curl.start(File(movers(60).encode()))
    held = latest()
    finish(held)
    held.refresh_from_db()
    decisions.approve(roster, 2, held.plan_digest, Decider(None), timezone.now())
    assert text(curl.status()).startswith("RUNNING update 2: approved at ")
    finish(held)
    assert text(curl.status()).startswith("COMPLETED update 2: ")


def test_json_has_the_plan(curl: Curl, roster: District) -> None:
    curl.start(File(movers(60).encode()), ("note", "closed school"))
    finish(latest())
    body = curl.status(accept="application/json").json()
    plan = body["plan"]
    assert (body["state"], body["note"], plan["digest"]) == (
        "held",
        "closed school",
        latest().plan_digest,
    )
    assert plan["summary"]["moved_out"] == 60
    assert plan["reasons"][0]["measure"] == "moved_out"


def test_notified_members_get_the_emails(curl: Curl, manager: Member, neighbor: Member) -> None:
    other = make_member(manager.district, "lee@maple.example", "instructor")
    curl.start(None, ("notify", "LEE@maple.example"))
    assert latest().notified == [other.pk]
    refused = curl.start(None, ("notify", neighbor.email))
    assert (refused.status_code, verdict(refused)) == (400, "ERROR wrong_value")


def test_waiting_ends_with_the_update_or_the_time(curl: Curl, roster: District) -> None:
    curl.start(File(movers(2).encode()))
    assert verdict(curl.status(("wait", "1"))) == "RUNNING update 2"
    finish(latest())
    assert verdict(curl.status(("wait", "60"))) == "COMPLETED update 2"


def test_only_some_callers_can_wait(
    roster: District, monkeypatch: pytest.MonkeyPatch, curl: Curl
) -> None:
    curl.start(File(movers(2).encode()))
    monkeypatch.setattr(waiting, "_places", threading.BoundedSemaphore(1))
    assert waiting._places.acquire()
    waiting.wait_for_end(roster, None, 60)
    assert latest().state == State.RECEIVED
