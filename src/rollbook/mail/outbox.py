"""Send queued emails, and retry with exponential backoff for up to two days.

An email counts as sent once the mail server has accepted it. If the process dies between sending
and recording that, the email is sent again with the same Message-ID.
"""

import logging
import smtplib
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import TypeVar
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db.models import QuerySet
from django.template.loader import render_to_string
from django.utils import timezone

from rollbook.mail.content import Content, as_text
from rollbook.mail.models import OutgoingMail
from rollbook.version import describe

log = logging.getLogger(__name__)

MAX_RETRY_TIME = timedelta(hours=48)
FIRST_RETRY_DELAY, MAX_RETRY_DELAY = timedelta(seconds=30), timedelta(hours=1)
BATCH_SIZE = 20  # emails

M = TypeVar("M", bound=OutgoingMail)


class MailObsolete(Exception):
    """The email must no longer be sent; the outbox gives it up."""


def send_due(
    queue: QuerySet[M],
    render: Callable[[M], EmailMultiAlternatives],
    lease: timedelta | None = None,
) -> int:
    """Send the emails that are due, up to ``BATCH_SIZE``.

    Args:
        queue: The emails of one model.
        render: Returns the message of an email, or raises MailObsolete.
        lease: If several processes may send these emails, how long the one that sends an email has
            it for itself.

    Returns:
        The number of emails that were tried.
    """
    now = timezone.now()
    due = list(queue.filter(next_attempt_at__lte=now).order_by("next_attempt_at")[:BATCH_SIZE])
    for email in due:
        if lease is None or _claim(email, now + lease):
            _try(email, render)
    return len(due)


def render_message(
    email: OutgoingMail, content: Content, message_id: str
) -> EmailMultiAlternatives:
    """Render the message of an email.

    Args:
        email: The queued email.
        content: What it says.
        message_id: The part of the Message-ID before the ``@``; the same in each attempt.
    """
    return compose(
        content,
        email.recipient,
        {
            "Message-ID": f"<{message_id}@{urlsplit(settings.URL).hostname}>",
            "Date": format_datetime(email.queued_at),
            "Auto-Submitted": "auto-generated",
            "X-Mailer": f"Rollbook {describe()}",
        },
    )


def compose(
    content: Content, to: str, headers: Mapping[str, str] | None = None
) -> EmailMultiAlternatives:
    """Return a message with a text and an HTML part.

    Args:
        content: What it says.
        to: The address of the recipient.
        headers: Further headers.
    """
    composed = EmailMultiAlternatives(
        subject=content.subject, body=as_text(content), to=[to], headers=dict(headers or {})
    )
    page = render_to_string("mail/page.html", {"content": content})
    composed.attach_alternative(page, "text/html")
    return composed


def _claim(email: OutgoingMail, until: datetime) -> bool:
    """Return whether no other process sends the email; until then, none tries to."""
    unclaimed = type(email)._default_manager.filter(
        pk=email.pk, next_attempt_at=email.next_attempt_at
    )
    return bool(unclaimed.update(next_attempt_at=until))


def _try(email: M, render: Callable[[M], EmailMultiAlternatives]) -> None:
    """Send one email and record the result; no error keeps the other emails from being sent."""
    now = timezone.now()
    try:
        render(email).send()
    except Exception as error:
        _record_failure(email, error, now)
    else:
        _record_attempt(email, sent_at=now, next_attempt_at=None, last_error="")


def _record_failure(email: OutgoingMail, error: Exception, now: datetime) -> None:
    last_error = _describe_error(error)
    delay = min(FIRST_RETRY_DELAY * 2 ** min(email.attempts, 20), MAX_RETRY_DELAY)
    if _is_permanent(error) or now + delay > email.queued_at + MAX_RETRY_TIME:
        next_attempt_at, consequence = None, "given up"
    else:
        next_attempt_at, consequence = now + delay, f"next try in {delay.total_seconds():.0f} s"
    if isinstance(error, MailObsolete):
        log.info("%s is no longer needed", email)
    else:
        log.warning("%s could not be sent (%s); %s", email, last_error, consequence)
    _record_attempt(email, next_attempt_at=next_attempt_at, last_error=last_error)


def _record_attempt(email: OutgoingMail, **values: object) -> None:
    manager = type(email)._default_manager
    manager.filter(pk=email.pk).update(attempts=email.attempts + 1, **values)


def _smtp_codes(error: Exception) -> list[int]:
    """Return the SMTP codes of the mail server's reply, if there was one."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return [code for code, _ in error.recipients.values()]
    return [error.smtp_code] if isinstance(error, smtplib.SMTPResponseException) else []


def _is_permanent(error: Exception) -> bool:
    """Return whether no later attempt can succeed.

    That is so if the email is obsolete, or if the server has permanently rejected the recipient or
    the message. A rejection of our login or sender isn't permanent: an operator can fix it.
    """
    if isinstance(error, MailObsolete):
        return True
    if not isinstance(error, smtplib.SMTPRecipientsRefused | smtplib.SMTPDataError):
        return False
    codes = _smtp_codes(error)
    return bool(codes) and all(500 <= code < 600 for code in codes)


def _describe_error(error: Exception) -> str:
    codes = ", ".join(map(str, _smtp_codes(error)))
    return f"{type(error).__name__} {codes}".strip()[:100]
