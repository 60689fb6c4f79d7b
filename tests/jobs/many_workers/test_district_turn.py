"""A district's turn: what it does, and the jobs it leaves when it ends early."""

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
from tests.jobs.conftest import delete_jobs, new_students, waiting_districts

pytestmark = [pytest.mark.only_on("postgresql"), pytest.mark.usefixtures("no_jobs", "small_steps")]


def never() -> bool:
    return False


def after(steps: int) -> Callable[[], bool]:
    """Return a function that asks the turn to stop after this many steps."""
    remaining = iter(range(steps - 1))
    return lambda: next(remaining, None) is None


def take(district: District, should_stop: Callable[[], bool] = never, error_count: int = 0) -> None:
    """Delete the waiting jobs, and take a turn of the district instead."""
    delete_jobs()
    DistrictTurn(district.pk, should_stop, error_count).take()


def failing(error: Exception) -> Callable[..., None]:
    def fail(*arguments: Any) -> None:
        raise error

    return fail


def test_a_turn_does_all_updates_of_the_district_in_order(maple: District, cedar: District) -> None:
    first, second, others = new_students(maple, 20), new_students(maple, 30), new_students(cedar, 5)
    take(maple)
    for update in (first, second, others):
        update.refresh_from_db()
    assert [first.state, second.state, others.state] == ["completed", "completed", "received"]
    assert (second.rows_unchanged, second.rows_added) == (20, 10)
    assert waiting_districts() == []


def test_a_worker_that_has_to_stop_leaves_the_rest_and_counts_no_failed_attempt(
    maple: District,
) -> None:
    update = new_students(maple, 60)
    take(maple, after(3))
    update.refresh_from_db()
    assert (update.state, update.rows_read, update.attempts_without_progress) == ("checking", 30, 0)
    assert waiting_districts() == [maple.pk]
    assert job_queue.waiting_jobs()[0].scheduled_at is None
    take(maple)
    update.refresh_from_db()
    assert (update.state, update.rows_added) == ("completed", 60)


def test_a_turn_ends_after_its_time_if_others_are_waiting(
    maple: District, cedar: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(district_turn, "TURN_S", 0.0)
    update = new_students(maple, 30)
    job_queue.nudge(cedar.pk)
    DistrictTurn(maple.pk, never).take()
    update.refresh_from_db()
    assert (update.state, update.rows_read) == ("checking", 10)
    assert waiting_districts() == [maple.pk, cedar.pk, maple.pk]


def test_a_turn_continues_while_no_other_district_is_waiting(
    maple: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(district_turn, "TURN_S", 0.0)
    update = new_students(maple, 30)
    take(maple)
    assert not runner.has_work(update.pk)


def test_after_a_cancel_the_next_update_is_due(maple: District) -> None:
    first, second = new_students(maple, 20), new_students(maple, 30)
    take(maple, lambda: cancel.cancel(maple, first.number).is_canceled and False)
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.state, second.state) == ("canceled", "completed")


def test_an_update_that_another_worker_has_taken_over_ends_the_turn(
    maple: District,
) -> None:
    first, second = new_students(maple, 20), new_students(maple, 30)
    take(maple, lambda: UpdateJob.objects.filter(pk=first.pk).update(run_id="another's") == 0)
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.state, first.run_id, second.state) == ("checking", "another's", "received")
    assert waiting_districts() == []


def test_a_full_disk_delays_the_update_and_counts_no_failed_attempt(
    maple: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    update = new_students(maple, 30)
    with monkeypatch.context() as full:
        full.setattr(apply, "_apply", failing(OSError(errno.ENOSPC, "No space left on device")))
        for error_count in range(6):
            take(maple, error_count=error_count)
            job = job_queue.waiting_jobs()[0]
            assert job.scheduled_at
            pause = (job.scheduled_at - job_queue.database_now()).total_seconds()
            # Only the first turn starts with steps that succeed, which reset the count of errors.
            assert pause == pytest.approx(min(2.0**error_count, 30.0), abs=0.9)
            update.refresh_from_db()
            assert (update.state, update.rows_added, update.attempts_without_progress) == (
                "applying",
                0,
                0,
            )
    take(maple)
    update.refresh_from_db()
    assert (update.state, update.rows_added) == ("completed", 30)


def test_a_repeated_error_fails_the_update_with_a_reference_and_the_next_one_is_done(
    maple: District, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    broken, queued, real = new_students(maple, 30), new_students(maple, 31), apply._apply
    monkeypatch.setattr(apply, "_apply", failing(ValueError("Last7 is a student's name")))
    for _ in range(4):
        take(maple)
        assert job_queue.waiting_jobs()[0].scheduled_at, "the job must be delayed"
    monkeypatch.setattr(apply, "_apply", real)
    take(maple)
    broken.refresh_from_db()
    queued.refresh_from_db()
    assert (broken.state, queued.state) == ("failed", "completed")
    assert broken.error_reference in caplog.text


def test_errors_after_a_migration_by_a_newer_version_count_no_failed_attempt(
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


def test_a_release_that_fails_is_repeated_until_it_succeeds(
    maple: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    update, real, attempts = new_students(maple, 30), runner.release, []

    def release(update_id: int) -> None:
        attempts.append(update_id)
        if len(attempts) < 3:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(update_id)

    monkeypatch.setattr(apply, "_apply", failing(OSError(errno.ENOSPC, "No space left on device")))
    monkeypatch.setattr(runner, "release", release)
    monkeypatch.setattr(district_turn, "backoff_seconds", lambda error_count: 0.01)
    take(maple)
    update.refresh_from_db()
    assert (update.state, update.attempts_without_progress, len(attempts)) == ("applying", 0, 3)
    assert waiting_districts() == [maple.pk]


def test_two_updates_of_a_district_cannot_be_started_at_the_same_time(maple: District) -> None:
    first, second = new_students(maple, 20), new_students(maple, 30)
    assert runner._start_run(first.pk)
    assert runner._start_run(second.pk) is None
    second.refresh_from_db()
    assert second.state == State.RECEIVED
    with transaction.atomic():
        assert transitions.transition(first.pk, State.CANCELED)
    assert runner._start_run(second.pk)


def test_the_time_of_the_current_step_is_measured() -> None:
    durations = []

    def steps() -> Iterator[None]:
        for _ in range(3):
            time.sleep(0.01)
            durations.append(district_turn.longest_step())
            yield

    for _ in district_turn.track_step_time(steps()):
        assert district_turn.longest_step() == 0
    assert all(seconds >= 0.01 for seconds in durations)
    assert len(durations) == 3
