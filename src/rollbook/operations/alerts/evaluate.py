"""Check all conditions, and record what has changed together with the emails about it.

Any number of processes may do so at the same time: the rows of the alerts are locked, and the
state of each decides whether an email is due.
"""

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from rollbook.operations.alerts import mails, ping
from rollbook.operations.alerts.conditions import BY_CODE, CONDITIONS, Condition
from rollbook.operations.alerts.models import Alert, AlertEvent, AlertState
from rollbook.operations.alerts.state_machine import advance

MAX_DETAIL = 300
NEVER = timedelta.max

log = logging.getLogger(__name__)


def evaluate(now: datetime) -> None:
    """Check all conditions, and queue emails about what has changed."""
    problems = {condition.code: _find(condition, now) for condition in CONDITIONS}
    with transaction.atomic():
        _add_missing(problems, now)
        events: dict[AlertEvent, list[Alert]] = {}
        for alert in Alert.objects.select_for_update().order_by("code"):
            problem, state = problems.get(alert.code), alert.state
            event = advance(alert, problem, _delay(alert.code), now)
            if problem or alert.state != state:
                alert.save()
            if event:
                events.setdefault(event, []).append(alert)
        for event, alerts in events.items():
            mails.queue(event, alerts, now)
        if events:
            ping.make_due(now)
    for event, alerts in events.items():
        for alert in alerts:
            log.warning("alert %s: %s (%s)", event, alert.code, alert.detail)


def has_channel() -> bool:
    """Return whether the operator can be notified at all."""
    return bool(settings.OPERATOR_EMAIL or settings.PING_URL)


def _find(condition: Condition, now: datetime) -> str | None:
    """Return what is wrong; None if it can't be checked now."""
    try:
        problem = condition.find(now)
    except Exception:
        log.warning("the condition %s cannot be checked", condition.code, exc_info=True)
        return None
    return problem and problem[:MAX_DETAIL]


def _add_missing(problems: Mapping[str, str | None], now: datetime) -> None:
    """Add a row for each condition that was found for the first time."""
    new_alerts = [
        Alert(code=code, state=AlertState.OPEN, detail=problem, opened_at=now, seen_at=now)
        for code, problem in problems.items()
        if problem
    ]
    Alert.objects.bulk_create(new_alerts, ignore_conflicts=True)


def _delay(code: str) -> timedelta:
    """Return how long an alert has to be open; without a channel, it stays open."""
    if not has_channel() or code not in BY_CODE:
        return NEVER
    return BY_CODE[code].delay
