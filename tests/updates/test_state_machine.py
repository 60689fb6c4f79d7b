"""State transitions: the database rejects all but those in the diagram."""

from itertools import product

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from rollbook.districts.models import District
from rollbook.updates import transitions
from rollbook.updates.models import UpdateJob
from rollbook.updates.state_machine import IN_PROGRESS, TRANSITIONS, UNFINISHED, State
from tests.updates.night import a_class, send

TO = {
    State.RECEIVED: [],
    State.CHECKING: [State.CHECKING],
    State.CHECKED: [State.CHECKING, State.CHECKED],
    State.HELD: [State.CHECKING, State.HELD],
    State.SCHEDULED: [State.CHECKING, State.SCHEDULED],
    State.APPLYING: [State.CHECKING, State.APPLYING],
    State.COMPLETED: [State.CHECKING, State.APPLYING, State.COMPLETED],
    State.REFUSED: [State.REFUSED],
    State.CANCELED: [State.CANCELED],
    State.FAILED: [State.CHECKING, State.FAILED],
    State.DISCARDED: [State.CHECKING, State.HELD, State.DISCARDED],
}
PAIRS = list(product(State, State))


def update_in_state(district: District, state: State) -> UpdateJob:
    """Return an update in this state, which it reached by allowed transitions."""
    update = send(district, a_class(1))
    make_transitions(update, state)
    update.refresh_from_db()
    return update


def make_transitions(update: UpdateJob, state: State) -> None:
    for to in TO[state]:
        assert transitions.transition(update.pk, to)


def write_state(update: UpdateJob, to: State) -> int:
    """Write a state with SQL, past all rules in Python."""
    ended = None if to in UNFINISHED else connection.ops.adapt_datetimefield_value(timezone.now())
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE updates_updatejob SET state = %s, ended_at = %s WHERE id = %s",
            [to, ended, update.pk],
        )
        return int(cursor.rowcount)


@pytest.mark.parametrize(("old", "new"), PAIRS)
def test_a_transition_succeeds_if_and_only_if_it_is_in_the_diagram(
    maple: District, old: State, new: State
) -> None:
    update = update_in_state(maple, old)
    allowed = new in TRANSITIONS.get(old, ())
    assert transitions.transition(update.pk, new) is allowed
    update.refresh_from_db()
    assert update.state == (new if allowed else old)
    assert (update.ended_at is None) is (update.state in UNFINISHED)


@pytest.mark.parametrize(("old", "new"), PAIRS)
def test_the_database_rejects_every_other_transition(
    maple: District, old: State, new: State
) -> None:
    update = update_in_state(maple, old)
    if new in TRANSITIONS.get(old, ()):
        assert write_state(update, new) == 1
    else:
        with pytest.raises(IntegrityError, match="an update cannot make this state transition"):
            write_state(update, new)
        update.refresh_from_db()
        assert update.state == old


def test_an_unknown_state_is_rejected(maple: District) -> None:
    update = update_in_state(maple, State.RECEIVED)
    with pytest.raises(IntegrityError), transaction.atomic():
        UpdateJob.objects.filter(pk=update.pk).update(state="resting")


@pytest.mark.parametrize("state", [state for state in State if state is not State.RECEIVED])
def test_the_initial_state_of_an_update_is_received(maple: District, state: State) -> None:
    update = send(maple, a_class(1))
    update.pk, update.number, update.file_digest, update.state = None, 2, "0" * 64, state
    update.ended_at = None if state in UNFINISHED else timezone.now()
    with (
        pytest.raises(IntegrityError, match="an update starts in the state received"),
        transaction.atomic(),
    ):
        update.save(force_insert=True)


def test_final_states_have_no_transitions() -> None:
    assert {*UNFINISHED, *TO} == set(State)
    final = {State.COMPLETED, State.REFUSED, State.CANCELED, State.FAILED, State.DISCARDED}
    assert not final & TRANSITIONS.keys()


@pytest.mark.parametrize(("one", "other"), list(product(IN_PROGRESS, IN_PROGRESS)))
def test_only_one_update_of_a_district_is_in_progress(
    maple: District, one: str, other: str
) -> None:
    first, second = send(maple, a_class(1)), send(maple, a_class(2))
    make_transitions(first, State(one))
    with pytest.raises(IntegrityError), transaction.atomic():
        make_transitions(second, State(other))
    assert not UpdateJob.objects.filter(pk=second.pk, state__in=IN_PROGRESS).exists()


def test_updates_of_two_districts_are_in_progress_at_the_same_time(
    maple: District, cedar: District
) -> None:
    for district in (maple, cedar):
        assert transitions.transition(send(district, a_class(1)).pk, State.CHECKING)
    assert UpdateJob.objects.filter(state=State.CHECKING).count() == 2


def test_the_database_rejects_the_same_file_twice_while_it_is_unfinished(maple: District) -> None:
    update = send(maple, a_class(1))
    update.pk, update.number = None, 2
    with pytest.raises(IntegrityError), transaction.atomic():
        update.save(force_insert=True)
    transitions.transition(UpdateJob.objects.get().pk, State.CANCELED)
    update.save(force_insert=True)


def test_an_update_never_has_more_outcomes_than_rows(maple: District) -> None:
    update = send(maple, a_class(2))
    with pytest.raises(IntegrityError), transaction.atomic():
        UpdateJob.objects.filter(pk=update.pk).update(
            rows_updated=1, rows_added=1, rows_unchanged=1
        )


def test_an_update_has_an_end_time_exactly_when_it_has_ended(maple: District) -> None:
    update = send(maple, a_class(1))
    with pytest.raises(IntegrityError), transaction.atomic():
        UpdateJob.objects.filter(pk=update.pk).update(ended_at=timezone.now())
    transitions.transition(update.pk, State.CANCELED)
    with pytest.raises(IntegrityError), transaction.atomic():
        UpdateJob.objects.filter(pk=update.pk).update(ended_at=None)
