"""State transitions and progress, and the fence against runs that lost their update."""

import pytest
from django.db.models import F

from rollbook.districts.models import District
from rollbook.updates import transitions
from rollbook.updates.models import UpdateJob
from rollbook.updates.state_machine import State
from tests.updates.night import a_class, send


@pytest.fixture
def update(maple: District) -> UpdateJob:
    """Return an update that the run "mine" is checking."""
    update = send(maple, a_class(3))
    transitions.transition(update.pk, State.CHECKING, run_id="mine", attempts_without_progress=2)
    return update


def test_columns_of_a_transition_are_written_with_it(update: UpdateJob) -> None:
    assert transitions.transition(update.pk, State.FAILED, error_reference="8f3a1c")
    update.refresh_from_db()
    assert (update.state, update.error_reference) == ("failed", "8f3a1c")
    assert update.ended_at is not None


def test_columns_of_a_transition_that_is_not_made_are_not_written(update: UpdateJob) -> None:
    assert not transitions.transition(update.pk, State.COMPLETED, error_reference="8f3a1c")
    update.refresh_from_db()
    assert (update.state, update.error_reference, update.ended_at) == ("checking", "", None)


def test_a_run_makes_transitions_only_of_updates_it_holds(update: UpdateJob) -> None:
    assert not transitions.transition(update.pk, State.APPLYING, held_by="another")
    assert transitions.transition(update.pk, State.APPLYING, held_by="mine")


def test_progress_is_written_and_resets_the_failed_attempts(update: UpdateJob) -> None:
    transitions.record_progress(update.pk, State.CHECKING, "mine", rows_read=F("rows_read") + 2)
    update.refresh_from_db()
    assert (update.rows_read, update.attempts_without_progress) == (2, 0)
    assert update.progressed_at is not None


@pytest.mark.parametrize(("state", "run"), [(State.CHECKING, "another"), (State.APPLYING, "mine")])
def test_progress_of_another_run_or_another_state_is_fenced(
    update: UpdateJob, state: State, run: str
) -> None:
    with pytest.raises(transitions.Fenced):
        transitions.record_progress(update.pk, state, run, rows_read=2)
    update.refresh_from_db()
    assert (update.rows_read, update.attempts_without_progress) == (0, 2)


def test_no_run_makes_progress_after_the_end(update: UpdateJob) -> None:
    transitions.transition(update.pk, State.CANCELED)
    with pytest.raises(transitions.Fenced):
        transitions.record_progress(update.pk, State.CHECKING, "mine", rows_read=2)
