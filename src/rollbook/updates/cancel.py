"""Cancel an update: rows that are not applied yet never will be, the others stay applied.

A plan that waits is discarded.
"""

from dataclasses import dataclass

from django.db import transaction

from rollbook.districts.models import District
from rollbook.updates import runner, transitions
from rollbook.updates.models import UpdateJob
from rollbook.updates.reporting.report import current_update, find
from rollbook.updates.state_machine import CANCELED, IN_PROGRESS, PLAN_WAITING, UNFINISHED, State


@dataclass(frozen=True)
class Cancellation:
    """The result of a cancel.

    Attributes:
        update: The update that was meant; None if there is none.
        done: Whether this call canceled it.
    """

    update: UpdateJob | None
    is_canceled: bool


def cancel(district: District, number: int | None = None) -> Cancellation:
    """Cancel an update; when this returns, it changes no more students.

    The transition waits for the chunk that is being committed; every later one is fenced.

    Args:
        district: The district.
        number: The update's number. None: the one in progress, otherwise the one waiting longest
            in the queue, otherwise the oldest plan that waits.
    """
    with transaction.atomic():
        update = _find_or_choose(district, number)
        if update is None:
            return Cancellation(current_update(district), is_canceled=False)
        is_canceled = transitions.transition(update.pk, State.CANCELED) or transitions.transition(
            update.pk, State.DISCARDED, discard_reason=CANCELED
        )
        update.refresh_from_db()
        if is_canceled:
            runner.notify_engine(update.pk)
    return Cancellation(update, is_canceled=is_canceled)


def _find_or_choose(district: District, number: int | None) -> UpdateJob | None:
    if number is not None:
        return find(district, number)
    unfinished = UpdateJob.objects.filter(district=district, state__in=UNFINISHED)
    running = unfinished.filter(state__in=IN_PROGRESS).first()
    queued = unfinished.filter(state=State.RECEIVED).order_by("number").first()
    plans = unfinished.filter(state__in=PLAN_WAITING)
    return running or queued or plans.order_by("number").first()
