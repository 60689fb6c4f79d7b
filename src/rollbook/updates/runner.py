"""Takes an update from wherever it stands to its end, step by step; may be begun any number of times, after any crash.

Which process calls it, and when, is the decision of the engine (``engine.py``).
"""

import logging
import secrets
from collections.abc import Generator
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F
from django.db.models.functions import Coalesce
from django.utils import timezone

from rollbook.updates import transitions
from rollbook.updates.applying import apply
from rollbook.updates.checking import check
from rollbook.updates.engine import WorkerStatus, engine
from rollbook.updates.models import UpdateJob
from rollbook.updates.resolving import conflicts
from rollbook.updates.state_machine import IN_PROGRESS, UNFINISHED, State
from rollbook.updates.transitions import Fenced

log = logging.getLogger(__name__)

STUCK_AFTER = timedelta(minutes=1)  # without a step an update waits for something that is away

MAX_ATTEMPTS_WITHOUT_PROGRESS = 3  # runs in a row that ended without the commit of a single step


def notify_engine(update_id: int) -> None:
    """Tell the engine, inside the transaction that made it so, that there is something to do."""
    engine().notify_engine(update_id)


def worker_status() -> WorkerStatus:
    """Whether a worker lives."""
    return engine().worker_status()


def next_updates() -> list[int]:
    """The updates to work on now: of each district the one in work, else the one that has waited longest."""
    return list(_next_of_each().values())


def next_update(district_id: int) -> int | None:
    """The same for one district; None if nothing is due there."""
    return _next_of_each(district=district_id).get(district_id)


def busy_districts() -> list[int]:
    """Those in which something is due."""
    return list(_next_of_each())


def has_recent_progress(now: datetime) -> bool:
    """Whether an update is in work and gets on: what is never urgent leaves it the processors and the memory."""
    moved = Coalesce("progressed_at", "started_at")
    return (
        UpdateJob.objects.alias(moved=moved)
        .filter(state__in=IN_PROGRESS, moved__gt=now - STUCK_AFTER)
        .exists()
    )


def _next_of_each(**which: int) -> dict[int, int]:
    live = UpdateJob.objects.filter(state__in=UNFINISHED, **which).order_by("district", "number")
    chosen: dict[int, int] = {}
    for pk, district_id, state in live.values_list("pk", "district_id", "state"):
        if state in IN_PROGRESS:
            chosen[district_id] = pk
        else:
            chosen.setdefault(district_id, pk)
    return chosen


def has_ended(update_id: int) -> bool:
    """Whether nothing more will happen to it."""
    return not UpdateJob.objects.filter(pk=update_id, state__in=UNFINISHED).exists()


def run_steps(update_id: int) -> Generator[None, None, None]:
    """Work on the update until its end. Each step commits; raises Fenced when the update is somebody else's."""
    run = _begin(update_id)
    if run is None:
        return
    update = UpdateJob.objects.select_related("district").get(pk=update_id)
    if update.state == State.CHECKING:
        yield from check.steps(update, run)
        yield from conflicts.steps(update, run)
        _transition(update_id, State.APPLYING, run, applying_at=timezone.now())
        yield
    yield from apply.steps(update, run)
    _transition(update_id, State.COMPLETED, run)


def release(update_id: int) -> None:
    """The run ends in good order, or for a passing reason: it does not count as a death."""
    UpdateJob.objects.filter(pk=update_id, attempts_without_progress__gt=0).update(
        attempts_without_progress=F("attempts_without_progress") - 1
    )


def _begin(update_id: int) -> str | None:
    """Take the update over, under a new run id; None if there is nothing to be done with it."""
    run = secrets.token_hex(16)
    with (
        suppress(IntegrityError),
        transaction.atomic(),
    ):  # another update of the district was begun at the same moment
        if transitions.transition(
            update_id,
            State.CHECKING,
            run_id=run,
            attempts_without_progress=1,
            started_at=timezone.now(),
        ):
            return run
        if _fail_poison_update(update_id):
            return None
        if UpdateJob.objects.filter(pk=update_id, state__in=IN_PROGRESS).update(
            run_id=run, attempts_without_progress=F("attempts_without_progress") + 1
        ):
            return run
    return None


def _fail_poison_update(update_id: int) -> bool:
    doomed = UpdateJob.objects.filter(
        pk=update_id,
        state__in=IN_PROGRESS,
        attempts_without_progress__gte=MAX_ATTEMPTS_WITHOUT_PROGRESS,
    ).exists()
    if doomed:
        reference = secrets.token_hex(3)
        log.error(
            "update with key %d failed after %d runs without a step, reference %s",
            update_id,
            MAX_ATTEMPTS_WITHOUT_PROGRESS,
            reference,
        )
        transitions.transition(update_id, State.FAILED, error_reference=reference)
        notify_engine(update_id)
    return doomed


def _transition(update_id: int, to: State, run: str, **facts: Any) -> None:
    with transaction.atomic():
        if not transitions.transition(update_id, to, held_by=run, **facts):
            raise Fenced
        if to is State.APPLYING:
            update = UpdateJob.objects.get(pk=update_id)
            update.checkedrange_set.all().delete()
            update.rowdependency_set.all().delete()
        else:
            notify_engine(update_id)
