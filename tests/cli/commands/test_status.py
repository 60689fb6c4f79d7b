"""``rollbook status``."""

import json
from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from rollbook.cli.actions import status
from rollbook.districts.models import District
from rollbook.operations.lifecycle import suspension
from rollbook.updates.engine import WorkerStatus
from rollbook.updates.models import UpdateJob
from rollbook.updates.reporting.overview import load_overview
from rollbook.updates.state_machine import State
from tests.cli.conftest import Rollbook
from tests.updates.night import a_class, enroll, last, run, send


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(status, "worker_status", lambda: WorkerStatus(alive=True, at=None))


def problems(district: District) -> tuple[str, ...]:
    [found] = [each for each in load_overview(timezone.now()) if each.district == district]
    return found.problems


def test_all_districts_are_in_a_table(
    rollbook: Rollbook, maple: District, cedar: District, worker: None
) -> None:
    enroll(maple, a_class(2))
    result = rollbook("status")
    assert (result.code, result.err) == (0, "")
    lines = result.out.splitlines()
    assert lines[0].split("  ")[0] == "district"
    assert lines[1].split() == ["cedar-county", "never", "0", "no", "file", "yet"]
    assert " ".join(lines[2].split()) == "maple-usd 1 completed <time> 0 minutes ago 0"
    assert lines[-1] == "2 districts, 1 with problems. The worker is running."
    assert "maple-usd" not in rollbook("status", "--problems").out


def test_the_same_as_json(rollbook: Rollbook, maple: District, worker: None) -> None:
    enroll(maple, a_class(2))
    run(maple, "STUDENT_ID,GRADE\ns000,99")
    [district] = json.loads(rollbook("status", "--json").out)["districts"]
    assert district["district"] == "maple-usd"
    assert district["last_update"]["number"] == 2
    assert district["last_update"]["rejected"] == 1
    assert district["problems"] == ["update 2: every row rejected"]


def test_problems_are_named(maple: District) -> None:
    enroll(maple, a_class(3))
    assert problems(maple) == ()
    run(maple, "STUDENT_ID,GRADE\ns000,99\ns001,5")
    assert problems(maple) == ("update 2: 1 row rejected",)
    run(maple, "NOTHING\n1")
    assert problems(maple) == ("file of update 3 not accepted",)
    UpdateJob.objects.update(received_at=timezone.now() - timedelta(hours=50))
    assert problems(maple)[1:] == ("no good file for 2 days",)


def test_a_suspended_district_is_marked_and_has_no_problems(
    rollbook: Rollbook, maple: District, worker: None
) -> None:
    assert problems(maple) == ("no file yet",)
    suspension.suspend(maple, "the contract has ended", timezone.now())
    maple.refresh_from_db()
    assert problems(maple) == ()
    lines = rollbook("status").out.splitlines()
    assert " ".join(lines[1].split()) == "maple-usd (suspended) never 0"
    assert lines[-1] == "1 district, 0 with problems. The worker is running."
    [district] = json.loads(rollbook("status", "--json").out)["districts"]
    assert district["suspended_at"]


def test_a_stalled_update_and_its_queue(maple: District) -> None:
    update = send(maple, "STUDENT_ID,GRADE\ns000,5")
    send(maple, "STUDENT_ID,GRADE\ns000,6")
    send(maple, "STUDENT_ID,GRADE\ns000,7")
    long_ago = timezone.now() - timedelta(hours=1)
    UpdateJob.objects.filter(pk=update.pk).update(state=State.CHECKING)
    UpdateJob.objects.filter(number=3).delete()
    UpdateJob.objects.filter(number=2).update(number=0)
    UpdateJob.objects.update(received_at=long_ago)
    [found] = load_overview(timezone.now())
    assert (found.waiting, last(maple)) == (1, update)
    assert found.problems == ("update 1 has made no progress for 1 hour", "no good file yet")


@pytest.mark.django_db
def test_a_thousand_districts_take_as_many_queries_as_one(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    District.objects.bulk_create(
        District(name=f"District {number}", slug=f"district-{number:04}") for number in range(1000)
    )
    now = timezone.now()
    UpdateJob.objects.bulk_create(
        UpdateJob(
            district_id=pk,
            number=1,
            file_size=1,
            mode="update",
            state=State.RECEIVED.value,
            received_at=now,
        )
        for pk in District.objects.values_list("pk", flat=True)
    )
    with django_assert_num_queries(4):
        found = load_overview(now)
    assert len(found) == 1000
    assert {(each.waiting, each.problems) for each in found} == {(1, ("no good file yet",))}
