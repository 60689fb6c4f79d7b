"""Decide, once all rows are checked, whether an update continues or its plan waits."""

import hashlib
import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from rollbook.districts import quiet_hours
from rollbook.districts.local_dates import local_date
from rollbook.updates import transitions
from rollbook.updates.manifest import ranges
from rollbook.updates.models import Expectation, UpdateJob
from rollbook.updates.planning import limit_sets
from rollbook.updates.planning.feed_measures import comes_last
from rollbook.updates.planning.limit_document import WhenExceeded
from rollbook.updates.planning.limit_sets import CurrentLimits
from rollbook.updates.planning.limits import Limits, Reason, exceeded
from rollbook.updates.planning.summarize import summarize
from rollbook.updates.planning.summary import Summary
from rollbook.updates.state_machine import PLAN_WAITING, REPLACED, Mode, State

DIGEST_LENGTH = 12
"""Hexadecimal digits of a plan's digest, which a person can compare and type."""


def no_reasons(expected: Collection[str]) -> list[Reason]:
    """Return that nothing looks wrong with a file."""
    return []


@dataclass(frozen=True)
class Judgment:
    """What becomes of an update whose rows have been checked.

    Attributes:
        state: Its next state.
        columns: The columns to write in the transition.
        active: The number of active students.
        used: The expectations that it uses up.
        held_schools: SCHOOL_IDs of schools whose rows are held as an update of their own.
        postpones: Whether nobody is deactivated for being missing, so that the rest is applied.
    """

    state: State
    columns: Mapping[str, Any]
    active: int = 0
    used: list[Expectation] = field(default_factory=list)
    held_schools: tuple[str, ...] = ()
    postpones: bool = False


def judge(
    update: UpdateJob,
    now: datetime,
    reasons_of_file: Callable[[Collection[str]], list[Reason]] = no_reasons,
) -> Judgment:
    """Judge the plan of an update by the limits of its district.

    Args:
        update: The update, of which all rows have been checked.
        now: The present time.
        reasons_of_file: Returns what looks wrong with the file, given the expected columns.
    """
    expectations = limit_sets.find_expectations(update.district_id, now)
    expected = sorted({name for each in expectations for name in each.columns})
    current = limit_sets.find_current(update.district_id)
    limits, _ = current.document.limits_on(local_date(update.district, now))
    summary = summarize(update, expected)
    # A district that has removed all limits wants no update to be held.
    of_file = reasons_of_file(expected) if limits.district or limits.school else []
    reasons = sorted(of_file + exceeded(summary, limits, expected), key=comes_last)
    held_schools: tuple[str, ...] = ()
    postpones = False
    if reasons and not (of_file or update.is_check):
        way = current.document.when_exceeded
        schools = {reason.school for reason in reasons} - {""}
        if way is WhenExceeded.HOLD_SCHOOLS:
            rest = summarize(update, expected, schools)
            if rest.changes_anything and not exceeded(rest, limits, expected):
                held_schools, summary, reasons = tuple(sorted(schools)), rest, []
        elif way is WhenExceeded.POSTPONE and update.mode == Mode.SYNC:
            rest = summarize(update, expected, removals=False)
            if not exceeded(rest, limits, expected):
                postpones, summary, reasons = True, rest, []
    columns = plan_columns(current, summary, limits, reasons)
    state = _next_state(update, summary, reasons)
    quiet_until = quiet_hours.of_district(update.district).end_after(now)
    if state is State.APPLYING and quiet_until and summary.changes_anything:
        state = State.SCHEDULED
        columns |= {"planned_at": now, "apply_at": quiet_until}
    elif state in PLAN_WAITING:
        columns |= waiting_columns(current, now)
    else:
        columns["applying_at"] = now
    used = [each for each in expectations if each.is_for_one_update and not update.is_check]
    return Judgment(state, columns, summary.district.active, used, held_schools, postpones)


def plan_columns(
    current: CurrentLimits, summary: Summary, limits: Limits, reasons: list[Reason]
) -> dict[str, Any]:
    """Return the columns of an update that describe its plan."""
    return {
        "summary": summary.as_json(),
        "limit_set": current.limit_set,
        "reasons": [reason.as_json() for reason in reasons],
        "plan_digest": digest_of(summary, limits, reasons),
    }


def waiting_columns(current: CurrentLimits, now: datetime) -> dict[str, Any]:
    """Return the columns that say since when a plan waits, and until when."""
    return {"planned_at": now, "discard_at": now + current.document.waiting_time}


def digest_of(summary: Summary, limits: Limits, reasons: list[Reason]) -> str:
    """Return the digest by which a person names the plan that they have reviewed."""
    content = [summary.as_json(), limits.as_json(), [reason.as_json() for reason in reasons]]
    text = json.dumps(content, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:DIGEST_LENGTH]


def replace_older_plans(update: UpdateJob, judgment: Judgment) -> None:
    """Discard older plans that wait, in the transaction in which a complete file leaves checking.

    The newest data counts. But a dry run replaces only older dry runs: who tries out a file doesn't
    decide about the one that was sent last night. A plan that undoes an update has no data of its
    own, and stays.
    """
    older = UpdateJob.objects.filter(
        district=update.district_id, state__in=PLAN_WAITING, number__lt=update.number, undoes=None
    )
    if update.is_check:
        older = older.filter(is_check=True)
    keys = list(older.order_by("number").values_list("pk", flat=True))
    # A complete file names at least half of the active students.
    if not keys or 2 * ranges.count_matched(update) < judgment.active:
        return
    for key in keys:
        transitions.transition(key, State.DISCARDED, discard_reason=REPLACED, replaced_by=update)


def use_expectations(update: UpdateJob, judgment: Judgment) -> None:
    """Record which expectations the update has used up, in the same transaction."""
    keys = [each.pk for each in judgment.used]
    Expectation.objects.filter(pk__in=keys, used_by=None).update(used_by=update)


def _next_state(update: UpdateJob, summary: Summary, reasons: list[Reason]) -> State:
    """Return the next state; a plan that would change nothing is not held, whatever it rejects."""
    if update.is_check:
        return State.CHECKED
    return State.HELD if reasons and summary.changes_anything else State.APPLYING
