"""How far an email in the outbox is, and sending one again."""

from datetime import datetime
from enum import StrEnum
from typing import TypeVar

from django.db.models import Q, QuerySet

from rollbook.mail.models import OutgoingMail
from rollbook.mail.outbox import MailObsolete

M = TypeVar("M", bound=OutgoingMail)


class MailState(StrEnum):
    """The state of an email."""

    QUEUED = "queued"
    RETRYING = "retrying"
    BOUNCED = "bounced"
    FAILED = "failed"
    OBSOLETE = "obsolete"
    SENT = "sent"


_WAITING = Q(next_attempt_at__isnull=False)
_SENT = Q(sent_at__isnull=False)
_OBSOLETE = Q(last_error__in=["", MailObsolete.__name__])
_BOUNCED = Q(last_error__startswith="SMTPRecipientsRefused") | Q(
    last_error__startswith="SMTPDataError"
)
CONDITIONS: dict[MailState, Q] = {
    MailState.SENT: _SENT,
    MailState.QUEUED: _WAITING & Q(attempts=0),
    MailState.RETRYING: _WAITING & Q(attempts__gt=0),
    MailState.OBSOLETE: ~_WAITING & ~_SENT & _OBSOLETE,
    MailState.BOUNCED: ~_WAITING & ~_SENT & _BOUNCED,
    MailState.FAILED: ~_WAITING & ~_SENT & ~_OBSOLETE & ~_BOUNCED,
}
"""The condition of each state; every email meets one of them."""


def state_of(mail: OutgoingMail) -> MailState:
    """Return the state of an email."""
    if mail.sent_at:
        return MailState.SENT
    if mail.next_attempt_at:
        return MailState.RETRYING if mail.attempts else MailState.QUEUED
    if mail.last_error in ("", MailObsolete.__name__):
        return MailState.OBSOLETE
    if mail.last_error.startswith(("SMTPRecipientsRefused", "SMTPDataError")):
        return MailState.BOUNCED
    return MailState.FAILED


def given_up(mails: QuerySet[M], since: datetime) -> QuerySet[M]:
    """Return the emails queued since then that were given up although they were needed."""
    unsent = mails.filter(next_attempt_at=None, sent_at=None, queued_at__gt=since)
    return unsent.exclude(CONDITIONS[MailState.OBSOLETE])


def send_again(mails: QuerySet[M], now: datetime) -> int:
    """Queue emails again that have not been sent, as if they were new; return how many."""
    unsent = mails.filter(sent_at=None)
    return unsent.update(queued_at=now, next_attempt_at=now, attempts=0, last_error="")
