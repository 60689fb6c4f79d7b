"""The states of an alert, and when the operator is notified.

::

    (found) ─► open ─► notified ─► resolved ─► open …
                └────────────────────┘

An alert is open from the moment when its condition is found. The operator is notified when that has
lasted for the delay of the condition, and again every day. The alert is resolved when nobody has
found the condition for a while: other machines may still find it, such as on their own disk.
"""

from datetime import datetime, timedelta

from rollbook.operations.alerts.models import Alert, AlertEvent, AlertState

REMINDER_INTERVAL = timedelta(days=1)
RESOLVE_AFTER = timedelta(minutes=15)
"""Without the condition; longer than any machine takes between two checks."""


def advance(
    alert: Alert, problem: str | None, delay: timedelta, now: datetime
) -> AlertEvent | None:
    """Set the alert's next state; return the event of which the operator is to be notified.

    Differences of times are absolute, so a clock that was set back doesn't keep anything waiting.

    Args:
        alert: The alert, which is changed but not saved.
        problem: What was found; empty if there is no problem, None if it can't be checked here.
        delay: How long the problem lasts before the operator is notified.
        now: The present time.
    """
    if problem is None:
        return None
    if problem:
        return _find(alert, problem, delay, now)
    if alert.state == AlertState.RESOLVED or abs(now - alert.seen_at) < RESOLVE_AFTER:
        return None
    was_notified = alert.state == AlertState.NOTIFIED
    alert.state, alert.resolved_at = AlertState.RESOLVED, now
    return AlertEvent.RESOLVED if was_notified else None


def _find(alert: Alert, problem: str, delay: timedelta, now: datetime) -> AlertEvent | None:
    alert.detail, alert.seen_at = problem, now
    if alert.state == AlertState.RESOLVED:
        alert.state, alert.opened_at = AlertState.OPEN, now
        alert.notified_at = alert.resolved_at = None
    if alert.state == AlertState.OPEN:
        if abs(now - alert.opened_at) < delay:
            return None
        alert.state, alert.notified_at = AlertState.NOTIFIED, now
        return AlertEvent.OPENED
    if alert.notified_at and abs(now - alert.notified_at) < REMINDER_INTERVAL:
        return None
    alert.notified_at = now
    return AlertEvent.REMINDER
