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

from rollbook.updates import apply, check, judging, states
from rollbook.updates.engine import Seen, engine
from rollbook.updates.models import Update
from rollbook.updates.moves import LIVE, WORKING, State
from rollbook.updates.states import Fenced

log = logging.getLogger(__name__)

STUCK = timedelta(minutes=1)  # without a step an update waits for something that is away

MOST_DEATHS = 3  # runs in a row that ended without the commit of a single step


def due(update_id: int) -> None:
    """Tell the engine, inside the transaction that made it so, that there is something to do."""
    engine().due(update_id)


def worker_seen() -> Seen:
    """Whether a worker lives."""
    return engine().worker_seen()


def next_updates() -> list[int]:
    """The updates to work on now: of each district the one in work, else the one that has waited longest."""
    return list(_next_of_each().values())


def next_update(district_id: int) -> int | None:
    """The same for one district; None if nothing is due there."""
    return _next_of_each(district=district_id).get(district_id)


def busy_districts() -> list[int]:
    """Those in which something is due."""
    return list(_next_of_each())


def is_moving(now: datetime) -> bool:
    """Whether an update is in work and gets on: what is never urgent leaves it the processors and the memory."""
    moved = Coalesce("progressed_at", "started_at")
    return Update.objects.alias(moved=moved).filter(state__in=WORKING, moved__gt=now - STUCK).exists()


def _next_of_each(**which: int) -> dict[int, int]:
    live = Update.objects.filter(state__in=LIVE, **which).order_by("district", "number")
    chosen: dict[int, int] = {}
    for pk, district_id, state in live.values_list("pk", "district_id", "state"):
        if state in WORKING:
            chosen[district_id] = pk
        else:
            chosen.setdefault(district_id, pk)
    return chosen


def has_ended(update_id: int) -> bool:
    """Whether nothing more will happen to it."""
    return not Update.objects.filter(pk=update_id, state__in=LIVE).exists()


def steps(update_id: int) -> Generator[None, None, None]:
    """Work on the update until its end. Each step commits; raises Fenced when the update is somebody else's."""
    run = _begin(update_id)
    if run is None:
        return
    update = Update.objects.select_related("district").get(pk=update_id)
    if update.state == State.CHECKING:
        yield from check.steps(update, run)
        yield from judging.steps(update, run)
        _move(update_id, State.APPLYING, run, applying_at=timezone.now())
        yield
    yield from apply.steps(update, run)
    _move(update_id, State.COMPLETED, run)


def rest(update_id: int) -> None:
    """The run ends in good order, or for a passing reason: it does not count as a death."""
    Update.objects.filter(pk=update_id, deaths__gt=0).update(deaths=F("deaths") - 1)


def _begin(update_id: int) -> str | None:
    """Take the update over, under a new run id; None if there is nothing to be done with it."""
    run = secrets.token_hex(16)
    with suppress(IntegrityError), transaction.atomic():  # another update of the district was begun at the same moment
        if states.move(update_id, State.CHECKING, run=run, deaths=1, started_at=timezone.now()):
            return run
        if _fail_if_it_kills(update_id):
            return None
        if Update.objects.filter(pk=update_id, state__in=WORKING).update(run=run, deaths=F("deaths") + 1):
            return run
    return None


def _fail_if_it_kills(update_id: int) -> bool:
    doomed = Update.objects.filter(pk=update_id, state__in=WORKING, deaths__gte=MOST_DEATHS).exists()
    if doomed:
        reference = secrets.token_hex(3)
        log.error(
            "update with key %d failed after %d runs without a step, reference %s", update_id, MOST_DEATHS, reference
        )
        states.move(update_id, State.FAILED, reference=reference)
        due(update_id)
    return doomed


def _move(update_id: int, to: State, run: str, **facts: Any) -> None:
    with transaction.atomic():
        if not states.move(update_id, to, held_by=run, **facts):
            raise Fenced
        if to is State.APPLYING:
            update = Update.objects.get(pk=update_id)
            update.batch_set.all().delete()
            update.waitsfor_set.all().delete()
        else:
            due(update_id)
