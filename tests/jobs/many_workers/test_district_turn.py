"""A district's turn: what is done in it, and what is left behind when it ends early."""

import errno
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import transaction

from rollbook.db import schema_version
from rollbook.districts.models import District
from rollbook.jobs.many_workers import district_turn, job_queue
from rollbook.jobs.many_workers.district_turn import DistrictTurn
from rollbook.updates import cancel, runner, transitions
from rollbook.updates.applying import apply
from rollbook.updates.models import UpdateJob
from rollbook.updates.state_machine import State
from tests.jobs.conftest import forget_jobs, new_students, waiting_districts

pytestmark = [pytest.mark.only_on("postgresql"), pytest.mark.usefixtures("no_jobs", "small_steps")]


def never() -> bool:
    return False


def after(steps: int) -> Callable[[], bool]:
    """Told to stop after so many steps."""
    left = iter(range(steps - 1))
    return lambda: next(left, None) is None


def take(district: District, is_told: Callable[[], bool] = never, faults: int = 0) -> None:
    """Its turn, which takes the job that waits."""
    forget_jobs()
    DistrictTurn(district.pk, is_told, faults).take()


def failing(with_: Exception) -> Callable[..., None]:
    def fail(*arguments: Any) -> None:
        raise with_

    return fail


def test_a_turn_takes_every_update_of_the_district_in_their_order(
    maple: District, cedar: District
) -> None:
    first, second, others = new_students(maple, 20), new_students(maple, 30), new_students(cedar, 5)
    take(maple)
    for update in (first, second, others):
        update.refresh_from_db()
    assert [first.state, second.state, others.state] == ["completed", "completed", "received"]
    assert (second.rows_unchanged, second.rows_added) == (20, 10)
    assert waiting_districts() == []


def test_a_worker_that_is_told_to_stop_leaves_the_rest_to_another_and_no_death_behind(
    maple: District,
) -> None:
    update = new_students(maple, 60)
    take(maple, after(3))
    update.refresh_from_db()
    assert (update.state, update.rows_read, update.attempts_without_progress) == ("checking", 30, 0)
    assert waiting_districts() == [maple.pk]
    assert job_queue.waiting()[0].scheduled_at is None
    take(maple)
    update.refresh_from_db()
    assert (update.state, update.rows_added) == ("completed", 60)


def test_a_turn_is_over_when_its_time_is_and_others_wait(
    maple: District, cedar: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(district_turn, "TURN_S", 0.0)
    update = new_students(maple, 30)
    job_queue.nudge(cedar.pk)
    DistrictTurn(maple.pk, never).take()
    update.refresh_from_db()
    assert (update.state, update.rows_read) == ("checking", 10)
    assert waiting_districts() == [maple.pk, cedar.pk, maple.pk]


def test_while_nobody_else_waits_it_goes_on(
    maple: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(district_turn, "TURN_S", 0.0)
    update = new_students(maple, 30)
    take(maple)
    assert runner.has_ended(update.pk)


def test_after_a_cancel_the_next_update_is_due(maple: District) -> None:
    first, second = new_students(maple, 20), new_students(maple, 30)
    take(maple, lambda: cancel.cancel(maple, first.number).done and False)
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.state, second.state) == ("canceled", "completed")


def test_an_update_that_another_worker_has_taken_over_is_left_to_it_with_the_whole_district(
    maple: District,
) -> None:
    first, second = new_students(maple, 20), new_students(maple, 30)
    take(maple, lambda: UpdateJob.objects.filter(pk=first.pk).update(run_id="another's") == 0)
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.state, first.run_id, second.state) == ("checking", "another's", "received")
    assert waiting_districts() == []


def test_a_full_disk_lets_the_update_wait_and_costs_it_nothing(
    maple: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    update = new_students(maple, 30)
    with monkeypatch.context() as full:
        full.setattr(apply, "_apply", failing(OSError(errno.ENOSPC, "No space left on device")))
        for faults in range(6):
            take(maple, faults=faults)
            job = job_queue.waiting()[0]
            assert job.scheduled_at
            pause = (job.scheduled_at - job_queue.database_now()).total_seconds()
            # The steps of the check, and the first fault, came before: faults in a row are counted from there.
            assert pause == pytest.approx(min(2.0**faults if faults else 1.0, 30.0), abs=0.9)
            update.refresh_from_db()
            assert (update.state, update.rows_added, update.attempts_without_progress) == (
                "applying",
                0,
                0,
            )
    take(maple)
    update.refresh_from_db()
    assert (update.state, update.rows_added) == ("completed", 30)


def test_an_error_of_ours_that_comes_again_ends_the_update_with_a_reference_and_the_next_one_is_done(
    maple: District, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    broken, queued, real = new_students(maple, 30), new_students(maple, 31), apply._apply
    monkeypatch.setattr(apply, "_apply", failing(ValueError("Last7 is a student's name")))
    for _ in range(4):
        take(maple)
        assert job_queue.waiting()[0].scheduled_at, "it must not come again at once"
    monkeypatch.setattr(apply, "_apply", real)
    take(maple)
    broken.refresh_from_db()
    queued.refresh_from_db()
    assert (broken.state, queued.state) == ("failed", "completed")
    assert broken.error_reference in caplog.text


def test_tables_that_a_newer_version_has_changed_are_no_fault_of_the_update(
    maple: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    update = new_students(maple, 30)
    monkeypatch.setattr(apply, "_apply", failing(ValueError("no such column")))
    monkeypatch.setattr(
        schema_version, "require_not_newer", failing(schema_version.DatabaseIsNewer("newer"))
    )
    for _ in range(5):
        take(maple)
    update.refresh_from_db()
    assert (update.state, update.attempts_without_progress) == ("applying", 0)
    assert waiting_districts() == [maple.pk]


def test_where_not_even_the_pause_can_be_written_down_it_is_tried_until_it_can(
    maple: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    update, real, tries = new_students(maple, 30), runner.release, []

    def rest(update_id: int) -> None:
        tries.append(update_id)
        if len(tries) < 3:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(update_id)

    monkeypatch.setattr(apply, "_apply", failing(OSError(errno.ENOSPC, "No space left on device")))
    monkeypatch.setattr(runner, "release", rest)
    monkeypatch.setattr(district_turn, "backoff_seconds", lambda faults: 0.01)
    take(maple)
    update.refresh_from_db()
    assert (update.state, update.attempts_without_progress, len(tries)) == ("applying", 0, 3)
    assert waiting_districts() == [maple.pk]


def test_two_updates_of_a_district_cannot_be_begun_together(maple: District) -> None:
    first, second = new_students(maple, 20), new_students(maple, 30)
    assert runner._start_run(first.pk)
    assert runner._start_run(second.pk) is None
    second.refresh_from_db()
    assert second.state == State.RECEIVED
    with transaction.atomic():
        assert transitions.transition(first.pk, State.CANCELED)
    assert runner._start_run(second.pk)


def test_the_step_in_hand_has_its_time_taken() -> None:
    taken = []

    def steps() -> Iterator[None]:
        for _ in range(3):
            time.sleep(0.01)
            taken.append(district_turn.longest_step())
            yield

    for _ in district_turn.track_step_time(steps()):
        assert district_turn.longest_step() == 0
    assert all(seconds >= 0.01 for seconds in taken)
    assert len(taken) == 3
