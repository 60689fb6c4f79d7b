"""Guard retention against a wrong clock and against sudden large removals.

What retention removes is gone, so it must not depend on one clock that can jump. The guard records
the time of every run. If a run finds that more than two days have passed since the last one, or
that the database's clock differs by more than that, it stops retention on all machines until an
operator resumes it. And if much more data is due than at the previous run, for example because a
retention time was shortened by mistake, the run only records that; the next one, an hour later,
removes it.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import Max

from rollbook.accounts.audit import log as audit_log
from rollbook.accounts.models import AuditEvent, RetentionGuard
from rollbook.system_accounts import command_agent
from rollbook.text import count_of

MAX_GAP = timedelta(hours=48)
"""Retention stops if the clock differs by more from what it is compared with."""

RUN_INTERVAL = timedelta(minutes=30)
"""Calls within this time belong to the same run; runs begin every hour."""

MAX_SUDDEN_SHARE = 0.1
MAX_SUDDEN_ITEMS = 20
"""If more of the data than both of these has become due since the previous run, a run waits."""

ACTION, AGENT = "retention", "Rollbook server"

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Due:
    """How much data of one kind is due to be removed, and how much there is."""

    due: int
    total: int


def may_remove(now: datetime, count_due: Callable[[], Mapping[str, Due]]) -> bool:
    """Return whether this run may remove what is due.

    Args:
        now: The present time.
        count_due: Returns what is due now, by kind. It is called once in each run.
    """
    with transaction.atomic():
        guard = _load(now)
        if not _is_clock_plausible(guard, now):
            return False
        if guard.counted_at and abs(now - guard.counted_at) < RUN_INTERVAL:
            return guard.may_remove
        due = count_due()
        sudden = [kind for kind in due if _is_sudden(due[kind], guard.due.get(kind, 0))]
        if sudden:
            log.warning(
                "much more data than an hour ago is due to be removed (%s); it will be removed in "
                "the next run",
                ", ".join(f"{kind}: {due[kind].due:,} of {due[kind].total:,}" for kind in sudden),
            )
        guard.due = {kind: count.due for kind, count in due.items()}
        guard.counted_at, guard.may_remove = now, not sudden
        guard.save()
        return guard.may_remove


def check_clock(now: datetime) -> bool:
    """Return whether the clock is plausible and retention isn't stopped; stop it otherwise."""
    with transaction.atomic():
        return _is_clock_plausible(_load(now), now)


def stopped() -> RetentionGuard | None:
    """Return the guard if retention is stopped, otherwise None."""
    return RetentionGuard.objects.exclude(stopped_at=None).first()


def stop(reason: str, now: datetime) -> None:
    """Stop retention until an operator resumes it, because of something else than the clock."""
    with transaction.atomic():
        guard = _load(now)
        guard.stopped_at, guard.reason = now, reason
        guard.save()
        audit_log.record(ACTION, "stopped", agent=AGENT, detail=reason, now=now)


def resume(now: datetime) -> bool:
    """Resume retention, trusting the present clock; return whether it was stopped.

    The next run only counts what is due, so nothing is removed before the one after it.
    """
    with transaction.atomic():
        guard = RetentionGuard.objects.select_for_update().first()
        if guard is None or guard.stopped_at is None:
            return False
        guard.checked_at, guard.counted_at = now, None
        guard.due, guard.stopped_at, guard.reason = {}, None, ""
        guard.save()
        audit_log.record(ACTION, "resumed", agent=command_agent(), now=now)
    return True


def _load(now: datetime) -> RetentionGuard:
    """Return the guard, locked; create it at the first run."""
    guard = RetentionGuard.objects.select_for_update().first()
    if guard:
        return guard
    newest: datetime | None = AuditEvent.objects.aggregate(newest=Max("at"))["newest"]
    return RetentionGuard.objects.create(checked_at=newest or now)


def _is_clock_plausible(guard: RetentionGuard, now: datetime) -> bool:
    if guard.stopped_at:
        return False
    reason = _clock_problem(guard.checked_at, now)
    if reason:
        guard.stopped_at, guard.reason = now, reason
        audit_log.record(ACTION, "stopped", agent=AGENT, detail=reason, now=now)
        log.error(
            "retention is stopped: %s; check the clock, then run `rollbook retention resume`",
            reason,
        )
    else:
        guard.checked_at = now
    guard.save()
    return not reason


def _clock_problem(checked_at: datetime, now: datetime) -> str:
    """Return why the clock isn't plausible, or an empty string."""
    for name, other in (
        ("the last activity", checked_at),
        ("the database's clock", _database_time()),
    ):
        if other and abs(now - other) > MAX_GAP:
            direction = "ahead of" if now > other else "behind"
            days = count_of(abs(now - other).days, "day")
            return f"the clock says {now:%Y-%m-%d %H:%M} UTC, {days} {direction} {name}"
    return ""


def _database_time() -> datetime | None:
    """Return the time of the database server; SQLite has the clock of this machine."""
    if connection.vendor != "postgresql":
        return None
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        time: datetime = cursor.fetchone()[0]
    return time


def _is_sudden(count: Due, due_before: int) -> bool:
    new = count.due - due_before
    return new > MAX_SUDDEN_ITEMS and new > MAX_SUDDEN_SHARE * count.total
