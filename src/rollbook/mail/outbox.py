"""How a letter gets to its member: tried until the mail server took it, less and less often, for two days.

A letter counts as sent once the server took it. Dying between the two sends it once more, under the same Message-ID.
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

from rollbook.mail.models import OutgoingMail

log = logging.getLogger(__name__)

MAX_RETRY_TIME = timedelta(hours=48)
FIRST_RETRY_DELAY, MAX_RETRY_DELAY = timedelta(seconds=30), timedelta(hours=1)
BATCH_SIZE = 20

L = TypeVar("L", bound=OutgoingMail)


class MailObsolete(Exception):
    """Nobody should get this letter any more; it is put away."""


def send_due(letters: QuerySet[L], write: Callable[[L], EmailMultiAlternatives]) -> int:
    """Try every letter whose time has come; ``write`` makes the mail of one. Returns how many were tried."""
    due = list(
        letters.filter(next_attempt_at__lte=timezone.now()).order_by("next_attempt_at")[:BATCH_SIZE]
    )
    for letter in due:
        _try(letter, write)
    return len(due)


def message(
    letter: OutgoingMail, template: str, facts: Mapping[str, object], mark: str
) -> EmailMultiAlternatives:
    """The mail out of ``template``.subject.txt, .txt and .html; ``mark`` is the same whenever this letter is tried."""
    subject = " ".join(render_to_string(f"{template}.subject.txt", dict(facts)).split())
    mail = EmailMultiAlternatives(
        subject="".join(char for char in subject if char.isprintable()),
        body=render_to_string(f"{template}.txt", dict(facts)),
        to=[letter.recipient],
        headers={
            "Message-ID": f"<{mark}@{urlsplit(settings.URL).hostname}>",
            "Date": format_datetime(letter.queued_at),
            "Auto-Submitted": "auto-generated",
        },
    )
    mail.attach_alternative(render_to_string(f"{template}.html", dict(facts)), "text/html")
    return mail


def _try(letter: L, write: Callable[[L], EmailMultiAlternatives]) -> None:
    """Send one letter and write down how that went. Whatever fails, the next letter has its turn."""
    now = timezone.now()
    try:
        write(letter).send()
    except Exception as error:
        _record_failure(letter, error, now)
    else:
        _record_attempt(letter, sent_at=now, next_attempt_at=None, last_error="")


def _record_failure(letter: OutgoingMail, error: Exception, now: datetime) -> None:
    last_error = _describe_error(error)
    pause = min(FIRST_RETRY_DELAY * 2 ** min(letter.attempts, 20), MAX_RETRY_DELAY)
    final = _is_final(error) or now + pause > letter.queued_at + MAX_RETRY_TIME
    log.warning(
        "%s could not be sent (%s); %s",
        letter,
        last_error,
        "given up" if final else f"next try in {pause.total_seconds():.0f} s",
    )
    _record_attempt(letter, next_attempt_at=None if final else now + pause, last_error=last_error)


def _record_attempt(letter: OutgoingMail, **facts: object) -> None:
    type(letter)._default_manager.filter(pk=letter.pk).update(attempts=letter.attempts + 1, **facts)


def _codes(error: Exception) -> list[int]:
    """The SMTP codes the server answered with, if it answered."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return [code for code, _ in error.recipients.values()]
    return [error.smtp_code] if isinstance(error, smtplib.SMTPResponseException) else []


def _is_final(error: Exception) -> bool:
    """Whether the letter itself will never be taken, by the server's word or ours. The server's word on our side may
    change.
    """
    if isinstance(error, MailObsolete):
        return True
    if not isinstance(error, smtplib.SMTPRecipientsRefused | smtplib.SMTPDataError):
        return False
    codes = _codes(error)
    return bool(codes) and all(500 <= code < 600 for code in codes)


def _describe_error(error: Exception) -> str:
    codes = ", ".join(map(str, _codes(error)))
    return f"{type(error).__name__} {codes}".strip()[:100]
