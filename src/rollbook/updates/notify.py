"""6. A Report becomes mails: one letter for each person who is to know, written when an update ends, sent until it is.

A letter counts as sent once the server took it. Dying between the two sends it once more, under the same Message-ID.
"""

import logging
import smtplib
from collections.abc import Iterator
from datetime import datetime, timedelta
from email.utils import format_datetime
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.db.models import Q
from django.template.loader import render_to_string
from django.utils import timezone

from rollbook.format.problems import Severity
from rollbook.staff.models import Member
from rollbook.updates.models import Letter, Update
from rollbook.updates.moves import LIVE, State
from rollbook.updates.report import MOST_LINES, Report, previous, rejected_lines, report
from rollbook.updates.wording import dated

log = logging.getLogger(__name__)

GIVE_UP_AFTER = timedelta(hours=48)
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=30), timedelta(hours=1)


def write_letters() -> int:
    """Write the letters of every update that has ended and has none yet; returns how many updates that were."""
    ended = Update.objects.exclude(state__in=LIVE).filter(announced_at=None).select_related("district", "member")
    for update in ended:
        with transaction.atomic():
            now = timezone.now()
            if Update.objects.filter(pk=update.pk, announced_at=None).update(announced_at=now):
                Letter.objects.bulk_create(
                    Letter(update=update, member=member, written_at=now, next_try_at=now) for member in _readers(update)
                )
    return len(ended)


def send_due() -> int:
    """Try every letter whose time has come; returns how many were tried."""
    due = Letter.objects.filter(next_try_at__lte=timezone.now()).select_related("update__district", "member")
    letters = list(due.order_by("next_try_at")[:20])
    for letter in letters:
        _try(letter)
    return len(letters)


def message(letter: Letter) -> EmailMultiAlternatives:
    """The mail itself: no names, birth dates, IDs or passwords of students."""
    told = report(letter.update)
    facts = _facts(told, letter.update)
    subject = " ".join(render_to_string("updates/result.subject.txt", facts).split())
    mail = EmailMultiAlternatives(
        subject="".join(char for char in subject if char.isprintable()),
        body=render_to_string("updates/result.txt", facts),
        to=[letter.member.email],
        headers={
            "Message-ID": f"<update-{letter.update_id}.letter-{letter.pk}@{urlsplit(settings.URL).hostname}>",
            "Date": format_datetime(letter.written_at),
            "Auto-Submitted": "auto-generated",
        },
    )
    mail.attach_alternative(render_to_string("updates/result.html", facts), "text/html")
    return mail


def _readers(update: Update) -> Iterator[Member]:
    """Who started the update, and who gets the results of the whole district; nobody who may not sign in any more."""
    members = Member.objects.filter(district=update.district_id, is_active=True)
    return members.filter(Q(gets_results=True) | Q(pk=update.member_id)).iterator()


def _facts(told: Report, update: Update) -> dict[str, object]:
    lines = rejected_lines(update)
    return {
        "report": told,
        "words": _completed(told) if told.state is State.COMPLETED else told.state,
        "errors": [group for group in told.groups if group.severity is Severity.ERROR],
        "warnings": [group for group in told.groups if group.severity is Severity.WARNING],
        "lines": lines,
        "all_lines_named": told.rejected <= MOST_LINES,
        "most_lines": MOST_LINES,
        "previous": previous(update),
        "received": dated(told.received_at, told.time_zone),
        "started": dated(told.started_at, told.time_zone),
        "ended": dated(told.ended_at, told.time_zone),
        "took": told.ended_at - told.started_at if told.ended_at and told.started_at else None,
        "url": settings.URL,
    }


def _try(letter: Letter) -> None:
    """Send one letter and write down how that went. Whatever fails, the next letter has its turn."""
    now = timezone.now()
    try:
        message(letter).send()
    except Exception as error:
        _note_failure(letter, error, now)
    else:
        Letter.objects.filter(pk=letter.pk).update(sent_at=now, next_try_at=None, tries=letter.tries + 1, last_error="")


def _note_failure(letter: Letter, error: Exception, now: datetime) -> None:
    last_error = _named(error)
    pause = min(FIRST_PAUSE * 2 ** min(letter.tries, 20), LONGEST_PAUSE)
    final = _is_final(error) or now + pause > letter.written_at + GIVE_UP_AFTER
    log.warning(
        "letter %d of update %d could not be sent (%s); %s",
        letter.pk,
        letter.update.number,
        last_error,
        "given up" if final else f"next try in {pause.total_seconds():.0f} s",
    )
    Letter.objects.filter(pk=letter.pk).update(
        next_try_at=None if final else now + pause, tries=letter.tries + 1, last_error=last_error
    )


def _codes(error: Exception) -> list[int]:
    """The SMTP codes the server answered with, if it answered."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return [code for code, _ in error.recipients.values()]
    return [error.smtp_code] if isinstance(error, smtplib.SMTPResponseException) else []


def _is_final(error: Exception) -> bool:
    """Whether the server said of the letter itself that it will never take it. Its word on our side may change."""
    if not isinstance(error, smtplib.SMTPRecipientsRefused | smtplib.SMTPDataError):
        return False
    codes = _codes(error)
    return bool(codes) and all(500 <= code < 600 for code in codes)


def _named(error: Exception) -> str:
    codes = ", ".join(map(str, _codes(error)))
    return f"{type(error).__name__} {codes}".strip()[:100]


def _completed(told: Report) -> str:
    return "completed with errors" if told.with_errors else "completed"
