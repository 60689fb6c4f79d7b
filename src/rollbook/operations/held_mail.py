"""Emails that are held after a restore: count them, and release or drop them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Min, QuerySet

from rollbook.accounts import mail_hold
from rollbook.accounts.audit import log as audit_log
from rollbook.accounts.models import AccountMail
from rollbook.system_accounts import command_agent
from rollbook.updates.models import ResultMail, UpdateEvent, UpdateJob
from rollbook.updates.state_machine import UNFINISHED

ACTION = "mail"
DROPPED = "dropped after a restore"


@dataclass(frozen=True, slots=True)
class Waiting:
    """Emails that wait to be sent.

    Attributes:
        accounts: Those about accounts, such as invitations.
        results: Those with the results of updates.
        updates: Updates that have ended and whose emails are not queued yet.
        oldest: When the oldest one was queued.
    """

    accounts: int
    results: int
    updates: int
    oldest: datetime | None


def waiting() -> Waiting:
    """Count the emails that would be sent."""
    times = [mails.aggregate(oldest=Min("queued_at"))["oldest"] for mails in _due()]
    accounts, results = (mails.count() for mails in _due())
    return Waiting(accounts, results, _count_not_queued(), min(filter(None, times), default=None))


def release(now: datetime, *, drop: bool) -> Waiting | None:
    """Let emails be sent again.

    Args:
        now: The present time.
        drop: Whether those that are waiting are never sent.

    Returns:
        The emails that were waiting; None if emails were not held.
    """
    with transaction.atomic():
        found = waiting()
        if not mail_hold.release():
            return None
        if drop:
            for mails in _due():
                mails.update(next_attempt_at=None, last_error=DROPPED)
            _not_queued().update(mails_queued_at=now)
            _events().update(mails_queued_at=now)
        result = "dropped" if drop else "released"
        audit_log.record(ACTION, result, agent=command_agent(), now=now)
    return found


def _due() -> "tuple[QuerySet[Any], QuerySet[Any]]":
    return (
        AccountMail.objects.exclude(next_attempt_at=None),
        ResultMail.objects.exclude(next_attempt_at=None),
    )


def _count_not_queued() -> int:
    """Count the updates that have ended, and plans that wait, whose emails were not queued."""
    waiting_plans = _events().filter(update__state__in=UNFINISHED)
    return _not_queued().count() + waiting_plans.count()


def _events() -> "QuerySet[UpdateEvent]":
    return UpdateEvent.objects.filter(mails_queued_at=None)


def _not_queued() -> "QuerySet[UpdateJob]":
    return UpdateJob.objects.exclude(state__in=UNFINISHED).filter(mails_queued_at=None)
