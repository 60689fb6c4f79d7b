"""Write the states and counters of updates, and their events; only this module does.

Each state transition, and the progress of each step, is one conditional UPDATE whose row count is
checked. This is the fence against runs that no longer hold an update.
"""

from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from rollbook.accounts.models import Member
from rollbook.updates import state_log
from rollbook.updates.models import UpdateEvent, UpdateJob
from rollbook.updates.state_machine import EVENT_STATES, TRANSITIONS, UNFINISHED, State

ANY = Q()


class Fenced(Exception):
    """The update was canceled, or another run holds it: this step must be rolled back."""


def transition(
    update_id: int,
    to: State,
    *,
    held_by: str | None = None,
    condition: Q = ANY,
    member: Member | None = None,
    **columns: Any,
) -> bool:
    """Make a state transition if the update's present state allows it; return whether it was made.

    A transition into one of ``EVENT_STATES`` is recorded as an event in the same transaction.

    Args:
        update_id: The ID of the update.
        to: The new state.
        held_by: The ID of the run that must hold the update; None if none has to.
        condition: What else must hold for the update.
        member: Who causes the transition; None: nobody.
        **columns: Other columns of the update, which are written in the same statement.
    """
    old_states = [old.value for old, new_states in TRANSITIONS.items() if to in new_states]
    updates = UpdateJob.objects.filter(condition, pk=update_id, state__in=old_states)
    if held_by is not None:
        updates = updates.filter(run_id=held_by)
    now = timezone.now()
    if to not in UNFINISHED:
        columns["ended_at"] = now
    with transaction.atomic(savepoint=False):
        if updates.update(state=to, **columns) != 1:
            return False
        if to in EVENT_STATES:
            UpdateEvent.objects.create(update_id=update_id, state=to, at=now, member=member)
        state_log.log_after_commit(update_id, to)
    return True


def record_progress(update_id: int, state: State, run: str, **counters: Any) -> None:
    """Write the counters of a step, inside its transaction.

    A step without counters only checks the fence. It may be repeated after each crash, so it
    doesn't count as progress.

    Args:
        update_id: The ID of the update.
        state: The state that the update must have.
        run: The ID of the run that must hold the update.
        **counters: The columns to write.

    Raises:
        Fenced: The run no longer holds the update in this state.
    """
    columns: dict[str, Any] = {"run_id": run}
    if counters:
        columns = {"progressed_at": timezone.now(), "attempts_without_progress": 0, **counters}
    held = UpdateJob.objects.filter(pk=update_id, state=state, run_id=run)
    if not held.update(**columns):
        raise Fenced
