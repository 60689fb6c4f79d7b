"""The only writer of ``state``, and the fence that keeps out whoever does not hold an update any more.

Each move, and the progress of each step, is one conditional UPDATE whose row count is looked at.
"""

from typing import Any

from django.utils import timezone

from rollbook.updates.models import UpdateJob
from rollbook.updates.state_machine import TRANSITIONS, UNFINISHED, State


class Fenced(Exception):
    """The update was canceled, or another run has taken it over: what this step did must be rolled back."""


def transition(update_id: int, to: State, *, held_by: str | None = None, **facts: Any) -> bool:
    """Move the update into the state ``to`` if it stands where that is allowed; say whether it did.

    With ``held_by``, only if that run still holds it. ``facts`` are written in the same statement.
    """
    begins = [old.value for old, news in TRANSITIONS.items() if to in news]
    standing = UpdateJob.objects.filter(pk=update_id, state__in=begins)
    if held_by is not None:
        standing = standing.filter(run_id=held_by)
    if to not in UNFINISHED:
        facts["ended_at"] = timezone.now()
    return standing.update(state=to, **facts) == 1


def record_progress(update_id: int, state: State, run: str, **counters: Any) -> None:
    """Write a step's counters, inside its transaction. Raises Fenced if the update is not this run's any more.

    A step without counters may be one that is done again after each death, so it is no sign of life.
    """
    held = UpdateJob.objects.filter(pk=update_id, state=state, run_id=run)
    facts = (
        {"progressed_at": timezone.now(), "attempts_without_progress": 0, **counters}
        if counters
        else {"run_id": run}
    )
    if not held.update(**facts):
        raise Fenced
