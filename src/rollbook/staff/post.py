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

from rollbook.staff.models import Posted

log = logging.getLogger(__name__)

GIVE_UP_AFTER = timedelta(hours=48)
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=30), timedelta(hours=1)
AT_ONCE = 20

L = TypeVar("L", bound=Posted)


class Unwanted(Exception):
    """Nobody should get this letter any more; it is put away."""


def send_due(letters: QuerySet[L], write: Callable[[L], EmailMultiAlternatives]) -> int:
    """Try every letter whose time has come; ``write`` makes the mail of one. Returns how many were tried."""
    due = list(letters.filter(next_try_at__lte=timezone.now()).order_by("next_try_at")[:AT_ONCE])
    for letter in due:
        _try(letter, write)
    return len(due)


def message(letter: Posted, template: str, facts: Mapping[str, object], mark: str) -> EmailMultiAlternatives:
    """The mail out of ``template``.subject.txt, .txt and .html; ``mark`` is the same whenever this letter is tried."""
    subject = " ".join(render_to_string(f"{template}.subject.txt", dict(facts)).split())
    mail = EmailMultiAlternatives(
        subject="".join(char for char in subject if char.isprintable()),
        body=render_to_string(f"{template}.txt", dict(facts)),
        to=[letter.address],
        headers={
            "Message-ID": f"<{mark}@{urlsplit(settings.URL).hostname}>",
            "Date": format_datetime(letter.written_at),
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
        _note_failure(letter, error, now)
    else:
        _note(letter, sent_at=now, next_try_at=None, last_error="")


def _note_failure(letter: Posted, error: Exception, now: datetime) -> None:
    last_error = _named(error)
    pause = min(FIRST_PAUSE * 2 ** min(letter.tries, 20), LONGEST_PAUSE)
    final = _is_final(error) or now + pause > letter.written_at + GIVE_UP_AFTER
    log.warning(
        "%s could not be sent (%s); %s",
        letter,
        last_error,
        "given up" if final else f"next try in {pause.total_seconds():.0f} s",
    )
    _note(letter, next_try_at=None if final else now + pause, last_error=last_error)


def _note(letter: Posted, **facts: object) -> None:
    type(letter)._default_manager.filter(pk=letter.pk).update(tries=letter.tries + 1, **facts)


def _codes(error: Exception) -> list[int]:
    """The SMTP codes the server answered with, if it answered."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return [code for code, _ in error.recipients.values()]
    return [error.smtp_code] if isinstance(error, smtplib.SMTPResponseException) else []


def _is_final(error: Exception) -> bool:
    """Whether the letter itself will never be taken, by the server's word or ours. The server's word on our side may
    change.
    """
    if isinstance(error, Unwanted):
        return True
    if not isinstance(error, smtplib.SMTPRecipientsRefused | smtplib.SMTPDataError):
        return False
    codes = _codes(error)
    return bool(codes) and all(500 <= code < 600 for code in codes)


def _named(error: Exception) -> str:
    codes = ", ".join(map(str, _codes(error)))
    return f"{type(error).__name__} {codes}".strip()[:100]
