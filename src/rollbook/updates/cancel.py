"""Stops an update for the rows that still wait; what was applied stays."""

from dataclasses import dataclass

from django.db import transaction

from rollbook.districts.models import District
from rollbook.updates import runner, transitions
from rollbook.updates.models import UpdateJob
from rollbook.updates.reporting.report import current_update, find
from rollbook.updates.state_machine import UNFINISHED, State


@dataclass(frozen=True)
class Cancellation:
    """The update that was meant, None if there is none; and whether it was canceled by this very call."""

    update: UpdateJob | None
    done: bool


def cancel(district: District, number: int | None = None) -> Cancellation:
    """Cancel this update, or else the running one, or else the oldest that waits.

    When it returns, no further student changes: the move waits for the chunk that is being committed, and every later
    one is fenced out.
    """
    with transaction.atomic():
        update = find(district, number) if number is not None else _running_or_oldest(district)
        done = update is not None and transitions.transition(update.pk, State.CANCELED)
        if update is None:
            return Cancellation(current_update(district), done=False)
        update.refresh_from_db()
        if done:
            runner.notify_engine(update.pk)
    return Cancellation(update, done)


def _running_or_oldest(district: District) -> UpdateJob | None:
    live = UpdateJob.objects.filter(district=district, state__in=UNFINISHED)
    return live.exclude(state=State.RECEIVED).first() or live.order_by("number").first()
