"""Runs of an update: they resume it after any crash, and only one holds it."""

import logging
from itertools import islice

import pytest

from rollbook import jobs
from rollbook.districts.models import District
from rollbook.updates import runner, transitions
from rollbook.updates.cancel import cancel
from rollbook.updates.checking import check
from rollbook.updates.models import RowDependency, UpdateJob
from rollbook.updates.state_machine import State
from rollbook.updates.transitions import Fenced
from tests.updates.night import (
    a_class,
    applying,
    counts,
    dump,
    enroll,
    finish,
    last,
    report_of,
    run,
    send,
)

pytestmark = pytest.mark.usefixtures("small_chunks", "small_batches")


@pytest.fixture
def update(maple: District) -> UpdateJob:
    """Nine students whose grade changes, and two who swap usernames."""
    enroll(maple, a_class(9))
    return send(maple, a_class(9, GRADE="5") + "\n")


@pytest.fixture
def crashing(update: UpdateJob, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make every run crash before its first commit."""

    def crash(*_: object) -> None:
        raise MemoryError("canary")

    monkeypatch.setattr(check, "RangeChecker", crash)


def run_until_crash(update: UpdateJob) -> None:
    with pytest.raises(MemoryError):
        finish(update)


@pytest.mark.usefixtures("crashing")
def test_an_update_fails_after_three_runs_without_a_step(
    update: UpdateJob, caplog: pytest.LogCaptureFixture
) -> None:
    before = dump(update.district)
    for attempts in (1, 2, 3):
        run_until_crash(update)
        update.refresh_from_db()
        assert (update.state, update.attempts_without_progress) == ("checking", attempts)
    with caplog.at_level(logging.ERROR):
        result = finish(update)
    assert result.state is State.FAILED
    assert len(result.reference) == 6
    assert result.reference in caplog.text
    assert not runner.has_work(update.pk)
    assert dump(update.district) == before
    assert send(update.district, a_class(9, GRADE="5") + "\n").number == 3


@pytest.mark.usefixtures("crashing")
def test_a_failed_update_frees_the_queue(update: UpdateJob) -> None:
    waiting = send(update.district, a_class(1))
    for _ in range(3):
        run_until_crash(update)
    assert runner.next_updates() == [update.pk]
    finish(update)
    assert runner.next_updates() == [waiting.pk]


@pytest.mark.usefixtures("crashing")
def test_a_release_counts_no_failed_attempt(update: UpdateJob) -> None:
    for _ in range(10):
        run_until_crash(update)
        runner.release(update.pk)
    assert report_of(update).state is State.CHECKING
    runner.release(update.pk)
    update.refresh_from_db()
    assert update.attempts_without_progress == 0


def test_kills_with_a_step_between_them_do_no_harm(update: UpdateJob) -> None:
    whole = dump_of_a_whole_run(update)
    kills = 0
    while (
        report_of(update).state in (State.RECEIVED, State.CHECKING)
        and update.rows_read < update.rows
    ):
        next(runner.run_steps(update.pk))
        kills += 1
    applying(update)
    while not report_of(update).ended:
        next(runner.run_steps(update.pk), None)
        kills += 1
    assert kills > 2 * runner.MAX_ATTEMPTS_WITHOUT_PROGRESS
    assert counts(report_of(update)) == {"updated": 9}
    assert sorted(map(repr, dump(update.district).values())) == whole


def dump_of_a_whole_run(update: UpdateJob) -> list[str]:
    district = District.objects.create(name="Twin", slug="twin")
    district.school_set.create(organization_id="100", name="School 100")
    enroll(district, a_class(9))
    run(district, a_class(9, GRADE="5"))
    return sorted(map(repr, dump(district).values()))


def test_a_kill_after_each_step_leads_to_the_same_result(update: UpdateJob) -> None:
    whole = dump_of_a_whole_run(update)
    steps = sum(
        1
        for _ in runner.run_steps(send(District.objects.get(slug="twin"), a_class(9, GRADE="6")).pk)
    )
    assert steps > 8
    for _ in range(steps):
        for _ in islice(runner.run_steps(update.pk), steps):
            if report_of(update).ended:
                break
        steps -= 1
        runner.release(update.pk)
    assert counts(finish(update)) == {"updated": 9}
    assert sorted(map(repr, dump(update.district).values())) == whole


@pytest.mark.parametrize("steps", range(12))
def test_a_run_whose_update_was_taken_over_is_fenced_and_changes_nothing(
    update: UpdateJob, steps: int
) -> None:
    old = runner.run_steps(update.pk)
    taken = sum(1 for _ in islice(old, steps))
    new = runner.run_steps(update.pk)
    next(new, None)
    before, report = dump(update.district), report_of(update)
    if taken and not report.ended:
        unchanged = (dump(update.district) == before for _ in old)  # after a step that only reads
        with pytest.raises(Fenced):
            assert all(unchanged)
        assert dump(update.district) == before
        assert report_of(update) == report
    for _ in new:
        pass
    assert counts(report_of(update)) == {"updated": 9}


def test_the_last_transition_of_an_old_run_is_fenced_too(update: UpdateJob) -> None:
    old = applying(update, 4)
    next(old)
    UpdateJob.objects.filter(pk=update.pk).update(run_id="another")
    with pytest.raises(Fenced):
        next(old)
    assert report_of(update).state is State.APPLYING
    assert finish(update).state is State.COMPLETED


def test_one_update_of_each_district_is_due(update: UpdateJob, cedar: District) -> None:
    send(update.district, a_class(2))
    other = send(cedar, a_class(3))
    assert runner.next_updates() == [update.pk, other.pk]
    applying(update, 1)
    assert runner.next_updates() == [update.pk, other.pk]
    finish(update)
    assert runner.next_updates() == [last(update.district).pk, other.pk]


def test_updates_of_a_district_are_done_in_the_order_of_their_arrival(update: UpdateJob) -> None:
    numbers = [send(update.district, a_class(size)).number for size in (1, 2, 3)]
    done = []
    while due := runner.next_updates():
        [pk] = due
        done.append(finish(UpdateJob.objects.get(pk=pk)).number)
    assert done == [update.number, *numbers]


def test_data_for_resolving_is_deleted_afterward(maple: District) -> None:
    enroll(maple, a_class(3))
    update = send(maple, "STUDENT_ID,USERNAME\ns000,u001\ns001,u000")
    work = runner.run_steps(update.pk)
    while not RowDependency.objects.exists():
        next(work)
    applying(update)
    assert not RowDependency.objects.exists()


@pytest.mark.parametrize("end", ["completed", "canceled", "failed"])
def test_the_engine_is_notified_of_every_start_and_every_end(
    maple: District, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    enroll(maple, a_class(1))
    notifications: list[tuple[int, str]] = []
    monkeypatch.setattr(
        jobs.selected(),
        "notify_engine",
        lambda pk: notifications.append((pk, UpdateJob.objects.get(pk=pk).state)),
    )
    update = send(maple, a_class(1, GRADE="5"))
    if end == "canceled":
        cancel(maple)
    elif end == "failed":
        transitions.transition(
            update.pk,
            State.CHECKING,
            attempts_without_progress=runner.MAX_ATTEMPTS_WITHOUT_PROGRESS,
        )
        finish(update)
    else:
        finish(update)
    assert notifications == [(update.pk, "received"), (update.pk, end)]


def test_an_update_that_has_ended_or_does_not_exist_has_no_steps(update: UpdateJob) -> None:
    finish(update)
    assert list(runner.run_steps(update.pk)) == []
    assert list(runner.run_steps(update.pk + 1000)) == []
    assert not runner.has_work(update.pk)
