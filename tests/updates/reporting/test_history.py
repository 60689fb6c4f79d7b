"""The updates of a district: listed, filtered, and summarized by day."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from rollbook.accounts.models import Member
from rollbook.districts.models import District
from rollbook.updates import runner, transitions
from rollbook.updates.cancel import cancel
from rollbook.updates.models import UpdateJob
from rollbook.updates.planning import decisions
from rollbook.updates.planning.decisions import Decider
from rollbook.updates.reporting import history
from rollbook.updates.reporting.history import (
    LatestUpdates,
    daily_summaries,
    latest_updates,
    list_updates,
    starters,
)
from rollbook.updates.state_machine import Mode, State
from tests.conftest import make_member
from tests.updates.night import a_class, applying, enroll, finish, run, send, send_bytes

TODAY = date(2026, 11, 23)


@pytest.fixture
def school(maple: District) -> District:
    enroll(maple, a_class(4, GRADE="4"))
    set_received_at(maple, 1, datetime(2026, 1, 1, 12, tzinfo=UTC))
    return maple


def set_received_at(district: District, number: int, moment: datetime) -> None:
    """Set when the update was received."""
    UpdateJob.objects.filter(district=district, number=number).update(received_at=moment)


def numbers(district: District, **filters: Any) -> list[int]:
    page = list_updates(district, **filters)
    assert page.total == len(page.items)
    return [update.number for update in page.items]


# The list


def test_the_newest_is_first_and_other_districts_are_left_out(
    school: District, cedar: District
) -> None:
    enroll(cedar, a_class(1))
    send(school, a_class(1))
    assert numbers(school) == [2, 1]
    assert numbers(cedar) == [1]


def test_the_list_is_paginated(school: District) -> None:
    for _ in range(4):
        run(school, a_class(1, GRADE="4"))
    page = list_updates(school, page=2, size=2)
    assert ([update.number for update in page.items], page.total, page.pages) == ([3, 2], 5, 3)
    assert (page.previous, page.next) == (1, 3)


def test_filtering_by_state_and_by_errors(school: District) -> None:
    run(school, "STUDENT_ID,GRADE\ns000,15")
    send_bytes(school, b"")
    send(school, a_class(1))
    assert numbers(school, state=State.COMPLETED) == [2, 1]
    assert numbers(school, state=State.COMPLETED, with_errors=True) == [2]
    assert numbers(school, with_errors=False) == [4, 3, 1]
    assert numbers(school, state=State.REFUSED) == [3]
    assert numbers(school, state=State.RECEIVED) == [4]
    assert numbers(school, state=State.FAILED) == []


def test_filtering_by_starter(school: District, manager: Member, neighbor: Member) -> None:
    idle, other = (
        make_member(school, "idle@maple.example"),
        make_member(school, "other@maple.example"),
    )
    run(school, a_class(1, GRADE="4"), member=manager)
    run(school, a_class(2, GRADE="4"), member=other)
    run(school, a_class(2, GRADE="5"), member=other)
    assert numbers(school, who=manager.pk) == [2]
    assert numbers(school, who=other.pk) == [4, 3]
    assert numbers(school, who=history.OPERATOR) == [1]
    assert numbers(school, who=idle.pk) == numbers(school, who=neighbor.pk) == []
    assert starters(school) == [manager, other]


def test_days_are_local_and_both_are_included(school: District) -> None:
    for number, moment in enumerate(
        (
            datetime(2026, 11, 22, 5, 59, tzinfo=UTC),  # the 21st in Chicago
            datetime(2026, 11, 22, 6, 0, tzinfo=UTC),
            datetime(2026, 11, 23, 5, 59, tzinfo=UTC),
            datetime(2026, 11, 23, 6, 0, tzinfo=UTC),
        ),
        start=2,
    ):
        run(school, a_class(1, GRADE="4"))
        set_received_at(school, number, moment)
    assert numbers(school, since=date(2026, 11, 22), until=date(2026, 11, 22)) == [4, 3]
    assert numbers(school, since=date(2026, 11, 23)) == [5]
    assert numbers(school, until=date(2026, 11, 21)) == [2, 1]


# Daily summaries


def test_every_day_is_listed_oldest_first(school: District) -> None:
    summaries = daily_summaries(school, TODAY, days=30)
    assert [summary.day for summary in summaries] == [
        TODAY - timedelta(days=29 - n) for n in range(30)
    ]
    results = {(summary.numbers, summary.worst, summary.changed) for summary in summaries}
    assert results == {((), "none", 0)}


def test_a_day_counts_the_rows_of_its_updates(school: District, cedar: District) -> None:
    enroll(cedar, a_class(9))
    set_received_at(cedar, 1, datetime(2026, 11, 23, 8, tzinfo=UTC))
    run(school, "STUDENT_ID,GRADE\ns000,5\ns001,4\ns002,15")
    canceled = send(school, a_class(4, GRADE="6"))
    cancel(school)
    for number in (2, canceled.number):
        set_received_at(school, number, datetime(2026, 11, 23, 8, tzinfo=UTC))
    *_, yesterday, today = daily_summaries(school, TODAY)
    assert (yesterday.numbers, yesterday.worst) == ((), "none")
    assert (today.day, today.numbers) == (TODAY, (2, 3))
    assert (today.changed, today.unchanged, today.rejected, today.not_processed) == (1, 1, 1, 4)
    assert today.worst == "canceled"


def test_days_are_local_also_when_the_clocks_change(school: District) -> None:
    run(school, a_class(1, GRADE="4"))
    for moment, day in (
        (datetime(2026, 3, 8, 5, 59, tzinfo=UTC), date(2026, 3, 7)),
        (datetime(2026, 3, 8, 6, 0, tzinfo=UTC), date(2026, 3, 8)),
        (datetime(2026, 3, 9, 4, 59, tzinfo=UTC), date(2026, 3, 8)),
        (datetime(2026, 3, 9, 5, 0, tzinfo=UTC), date(2026, 3, 9)),
    ):
        set_received_at(school, 2, moment)
        assert [
            night.day
            for night in daily_summaries(school, date(2026, 3, 10), days=5)
            if night.numbers
        ] == [day]


def test_of_several_updates_the_worst_is_reported(school: District) -> None:
    def worst() -> str:
        UpdateJob.objects.filter(number__gt=1).update(
            received_at=datetime(2026, 11, 23, 8, tzinfo=UTC)
        )
        return daily_summaries(school, TODAY)[-1].worst

    assert worst() == "none"
    running = send(school, a_class(1, GRADE="5"))
    assert worst() == "running"
    finish(running)
    assert worst() == "completed"
    run(school, "STUDENT_ID,GRADE\ns000,15")
    assert worst() == "completed with errors"
    send(school, a_class(1))
    cancel(school)
    assert worst() == "canceled"
    send_bytes(school, b"")
    assert worst() == "refused"
    failed = send(school, a_class(1))
    next(runner.run_steps(failed.pk))
    transitions.transition(failed.pk, State.FAILED, error_reference="abc")
    assert worst() == "failed"
    run(school, a_class(1, GRADE="6"))
    assert worst() == "failed"


# Latest updates


def test_without_any_update_there_are_no_latest_ones(cedar: District) -> None:
    assert latest_updates(cedar) == LatestUpdates(None, None, (), None)


def test_a_file_sent_by_hand_does_not_replace_the_last_one_of_the_feed(school: District) -> None:
    first = UpdateJob.objects.get(district=school)
    by_hand = send(school, "STUDENT_ID,GRADE\ns000,99\n", source="the browser")
    finish(by_hand)
    by_hand.refresh_from_db()
    assert latest_updates(school) == LatestUpdates(
        first, None, (), first.received_at, by_hand=by_hand
    )
    UpdateJob.objects.filter(pk=first.pk).update(source="the browser")
    latest = latest_updates(school)
    assert (latest.last, latest.by_hand, latest.has_feed) == (by_hand, None, False)


def test_latest_updates_are_the_last_ended_the_running_and_the_waiting(
    school: District, cedar: District
) -> None:
    enroll(cedar, a_class(1))
    first = UpdateJob.objects.get(district=school)
    assert latest_updates(school) == LatestUpdates(first, None, (), first.received_at)
    second, third = send(school, a_class(1, GRADE="5")), send(school, a_class(2, GRADE="5"))
    assert latest_updates(school) == LatestUpdates(first, None, (2, 3), third.received_at)
    applying(second)
    assert latest_updates(school) == LatestUpdates(first, second, (3,), third.received_at)
    cancel(school, 3)
    assert latest_updates(school) == LatestUpdates(third, second, (), third.received_at)
    finish(second)
    assert latest_updates(school) == LatestUpdates(second, None, (), third.received_at)


def test_plans_that_wait_are_not_in_the_queue_until_they_are_approved(school: District) -> None:
    held = _held(school)
    check = send(school, a_class(1, GRADE="5"), is_check=True)
    finish(check)
    latest = latest_updates(school)
    assert (latest.running, latest.waiting) == (None, ())
    assert latest.plans == (held, check)
    for update in (held, check):
        update.refresh_from_db()
        by, now = Decider(None), timezone.now()
        decisions.approve(school, update.number, update.plan_digest, by, now)
    latest = latest_updates(school)
    assert (latest.waiting, latest.plans) == ((held.number, check.number), ())


def test_a_dry_run_says_nothing_of_its_day(school: District) -> None:
    def worst() -> str:
        others = UpdateJob.objects.filter(number__gt=1).exclude(mode=Mode.ADD)
        others.update(received_at=datetime(2026, 11, 23, 8, tzinfo=UTC))
        return daily_summaries(school, TODAY)[-1].worst

    check = send(school, a_class(1, GRADE="5"), is_check=True)
    finish(check)
    assert worst() == "checked"
    cancel(school, check.number)
    assert worst() == "checked"
    run(school, a_class(1, GRADE="6"))
    assert worst() == "completed"
    assert latest_updates(school).last == UpdateJob.objects.latest("number")
    held = _held(school)
    assert worst() == "held"
    cancel(school, held.number)
    assert worst() == "discarded"


def _held(school: District) -> UpdateJob:
    enroll(school, a_class(9, STUDENT_ID="h{0}", USERNAME="h{0}"))
    rows = "".join(f"h{number},inactive\n" for number in range(9))
    update = send(school, f"STUDENT_ID,STATUS\n{rows}")
    assert finish(update).state is State.HELD
    return update
