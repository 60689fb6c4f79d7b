"""Run the steps of an update until it has ended; a run can be interrupted and started again.

The engine (``engine.py``) decides which process calls it, and when.
"""

import logging
import secrets
from collections.abc import Generator, Iterator
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.db.models.functions import Coalesce
from django.utils import timezone

from rollbook.districts.models import District
from rollbook.studentfile.problems.problem import Problem
from rollbook.updates import transitions
from rollbook.updates.absences import count, deactivate, find
from rollbook.updates.applying import apply
from rollbook.updates.checking import check
from rollbook.updates.engine import WorkerStatus, engine
from rollbook.updates.feed import examine
from rollbook.updates.manifest import manifest
from rollbook.updates.models import UpdateJob
from rollbook.updates.planning import judge, left_out, split
from rollbook.updates.resolving import conflicts, refusal
from rollbook.updates.state_machine import IN_PROGRESS, IN_QUEUE, PLAN_WAITING, Mode, State
from rollbook.updates.transitions import Fenced
from rollbook.updates.undoing import stage

log = logging.getLogger(__name__)

STUCK_AFTER = timedelta(minutes=1)
"""An update that has committed no step for this long is waiting for something."""

MAX_ATTEMPTS_WITHOUT_PROGRESS = 3
"""Runs in a row that may end without committing a step."""


def notify_engine(update_id: int) -> None:
    """Notify the engine, in the transaction that caused it, that there is work to do."""
    engine().notify_engine(update_id)


def worker_status() -> WorkerStatus:
    """Return whether a worker is running."""
    return engine().worker_status()


def next_updates() -> list[int]:
    """Return the IDs of the updates to work on now.

    For each district, this is the update in progress, otherwise the one waiting longest.
    """
    return list(_next_by_district().values())


def next_update(district_id: int) -> int | None:
    """Return the ID of the update to work on in one district; None if there is none."""
    return _next_by_district(district=district_id).get(district_id)


def busy_districts() -> list[int]:
    """Return the IDs of the districts that have an update to work on and aren't suspended."""
    return list(_next_by_district())


def has_recent_progress(now: datetime) -> bool:
    """Return whether an update is in progress and not stuck.

    Work that is not urgent waits then, so that the update has the CPU and memory.
    """
    last_progress = Coalesce("progressed_at", "started_at")
    updates = UpdateJob.objects.alias(last_progress=last_progress)
    return updates.filter(state__in=IN_PROGRESS, last_progress__gt=now - STUCK_AFTER).exists()


def _next_by_district(**conditions: int) -> dict[int, int]:
    due = UpdateJob.objects.filter(_is_due(), district__suspended_at=None, **conditions)
    updates = due.order_by("district", "number").values_list("pk", "district_id", "state")
    chosen: dict[int, int] = {}
    for pk, district_id, state in updates:
        if state in IN_PROGRESS:
            chosen[district_id] = pk
        else:
            chosen.setdefault(district_id, pk)
    return chosen


def _is_due() -> Q:
    """Return the condition that there is work to do for an update."""
    may_be_applied = Q(state__in=PLAN_WAITING, apply_at__lte=timezone.now())
    return Q(state__in=IN_QUEUE) | may_be_applied


def has_work(update_id: int) -> bool:
    """Return whether there is work to do for the update: it hasn't ended, and needs nobody."""
    return district_with_work(update_id) is not None


def district_with_work(update_id: int) -> int | None:
    """Return the ID of the update's district if there is work to do for the update."""
    due = UpdateJob.objects.filter(_is_due(), pk=update_id)
    return due.values_list("district_id", flat=True).first()


def run_steps(update_id: int) -> Generator[None, None, None]:
    """Work on the update until it has ended or its plan waits; each step commits.

    Raises:
        Fenced: Another run has taken over the update, or it was canceled.
    """
    run = _start_run(update_id)
    if run is None:
        return
    update = UpdateJob.objects.select_related("district").get(pk=update_id)
    if update.state == State.CHECKING:
        if not update.details_hidden_at:  # which a run does that refuses the file
            yield from (stage if update.undoes_id else check).steps(update, run)
        update.refresh_from_db(fields=["problem_counts", "rows_staged"])
        if problem := refusal.find_problem(update):
            yield from _refuse(update, run, problem)
            return
        yield from conflicts.steps(update, run)
        yield from find.steps(update, run)
        if update.mode == Mode.SYNC and (problem := refusal.too_many_changes(update)):
            yield from _refuse(update, run, problem)
            return
        if _finish_checking(update, run) is not State.APPLYING:
            return
        yield
    yield from left_out.steps(update, run)
    yield from apply.steps(update, run)
    yield from deactivate.steps(update, run)
    if not update.undoes_id:  # the students stay touched, so the next file is compared with them
        yield from manifest.steps(update, run)
    _complete(update, run)


def release(update_id: int) -> None:
    """Record that a run has ended in an orderly way or by a transient error.

    Such a run doesn't count as an attempt without progress.
    """
    UpdateJob.objects.filter(pk=update_id, attempts_without_progress__gt=0).update(
        attempts_without_progress=F("attempts_without_progress") - 1
    )


def _start_run(update_id: int) -> str | None:
    """Take over the update under a new run ID, and return that; None if there is nothing to do."""
    try:
        with transaction.atomic():
            if _is_suspended(update_id):
                return None
            return _take_over(update_id, run=secrets.token_hex(16))
    except IntegrityError:  # another update of the district was started at the same moment
        return None


def pause(district: District) -> None:
    """Stop the current run of the district's update, in the transaction that suspends it.

    The step that is being committed is waited for; every later one is fenced.
    """
    UpdateJob.objects.filter(district=district, state__in=IN_PROGRESS).update(
        run_id=secrets.token_hex(16), attempts_without_progress=0
    )


def continue_updates(district: District) -> None:
    """Notify the engine of a district's updates, in the transaction that resumes the district."""
    due = UpdateJob.objects.filter(_is_due(), district=district)
    for update_id in due.order_by("number").values_list("pk", flat=True):
        notify_engine(update_id)


def _is_suspended(update_id: int) -> bool:
    """Return whether the update's district is suspended, and keep that so for the transaction."""
    districts = District.objects.select_for_update(of=("self",), no_key=True).only("suspended_at")
    return any(district.is_suspended for district in districts.filter(updatejob=update_id))


def _take_over(update_id: int, run: str) -> str | None:
    is_started = transitions.transition(
        update_id,
        State.CHECKING,
        run_id=run,
        attempts_without_progress=1,
        started_at=timezone.now(),
    )
    now = timezone.now()
    is_started = is_started or transitions.transition(
        update_id,
        State.APPLYING,
        condition=Q(state__in=PLAN_WAITING, apply_at__lte=now),
        run_id=run,
        attempts_without_progress=1,
        applying_at=now,
    )
    if is_started:
        return run
    if _fail_poison_update(update_id):
        return None
    is_resumed = UpdateJob.objects.filter(pk=update_id, state__in=IN_PROGRESS).update(
        run_id=run, attempts_without_progress=F("attempts_without_progress") + 1
    )
    return run if is_resumed else None


def _fail_poison_update(update_id: int) -> bool:
    """End an update whose runs make no progress; return whether it was one."""
    is_poison = UpdateJob.objects.filter(
        pk=update_id,
        state__in=IN_PROGRESS,
        attempts_without_progress__gte=MAX_ATTEMPTS_WITHOUT_PROGRESS,
    ).exists()
    if is_poison:
        reference = secrets.token_hex(3)
        log.error(
            "update with key %d failed after %d runs without a step, reference %s",
            update_id,
            MAX_ATTEMPTS_WITHOUT_PROGRESS,
            reference,
        )
        transitions.transition(update_id, State.FAILED, error_reference=reference)
        notify_engine(update_id)
    return is_poison


def _refuse(update: UpdateJob, run: str, problem: Problem) -> Iterator[None]:
    """Refuse the file, because of a problem that only the check of all rows could find.

    Raises:
        Fenced: Another run has taken over the update, or it was canceled.
    """
    yield from refusal.remove_results(update, run, problem)
    with transaction.atomic():
        columns = refusal.columns_of_refused(update, problem)
        _transition(update.pk, State.REFUSED, run, **columns)


def _finish_checking(update: UpdateJob, run: str) -> State:
    """Apply the update next, or let its plan wait; return its new state.

    Raises:
        Fenced: Another run has taken over the update, or it was canceled.
    """
    update.refresh_from_db(from_queryset=UpdateJob.objects.select_related("district"))
    now = timezone.now()
    examined = None if update.undoes_id else examine.examine(update, now)
    reasons = examined.reasons if examined else judge.no_reasons
    judgment = judge.judge(update, now, reasons)
    with transaction.atomic():
        found = examine.store(update, examined) if examined else {}
        if judgment.held_schools or judgment.postpones:  # which add to what was found
            District.objects.select_for_update(no_key=True).get(pk=update.district_id)
            transitions.record_progress(update.pk, State.CHECKING, run, **found)
            found = {}
        if judgment.held_schools:
            split.split(update, judgment.held_schools, now)
        if judgment.postpones:
            deactivate.postpone(update, run)
        _transition(update.pk, judgment.state, run, **judgment.columns, **found)
        judge.replace_older_plans(update, judgment)
        judge.use_expectations(update, judgment)
        if judgment.state is State.APPLYING:
            update.rowdependency_set.all().delete()
    return judgment.state


def _complete(update: UpdateJob, run: str) -> None:
    """Complete the update, and make its file what the next one is compared with.

    In the same transaction, it is counted who is missing.

    Raises:
        Fenced: Another run has taken over the update, or it was canceled.
    """
    following = None if update.undoes_id else manifest.prepare(update)
    named_again = count.students_named_again(update)
    with transaction.atomic():
        _transition(update.pk, State.COMPLETED, run)
        if following:
            manifest.replace(following)
        count.count(update, named_again)


def _transition(update_id: int, to: State, run: str, **columns: Any) -> None:
    """Make a transition, in the transaction of the caller.

    Raises:
        Fenced: Another run has taken over the update, or it was canceled.
    """
    if not transitions.transition(update_id, to, held_by=run, **columns):
        raise Fenced
    if to is not State.APPLYING:
        notify_engine(update_id)
