"""6. A Report becomes mails: one letter for each person who is to know, written when an update ends; mail/outbox.py has
them sent.
"""

from collections.abc import Iterator

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from rollbook.accounts.models import Member
from rollbook.mail import outbox
from rollbook.studentfile.problems.problem import Severity
from rollbook.text import format_datetime
from rollbook.updates.models import ResultMail, UpdateJob
from rollbook.updates.reporting.report import (
    MAX_LINES_SHOWN,
    Report,
    previous,
    rejected_lines,
    report,
)
from rollbook.updates.reporting.state_words import result_sentence, words_of
from rollbook.updates.state_machine import UNFINISHED


def queue_result_mails() -> int:
    """Write the letters of every update that has ended and has none yet; returns how many updates that were."""
    ended = (
        UpdateJob.objects.exclude(state__in=UNFINISHED)
        .filter(mails_queued_at=None)
        .select_related("district", "member")
    )
    for update in ended:
        with transaction.atomic():
            now = timezone.now()
            if UpdateJob.objects.filter(pk=update.pk, mails_queued_at=None).update(
                mails_queued_at=now
            ):
                ResultMail.objects.bulk_create(
                    ResultMail(update=update, member=member, queued_at=now, next_attempt_at=now)
                    for member in _recipients(update)
                )
    return len(ended)


def send_due() -> int:
    """Try every letter whose time has come; returns how many were tried."""
    return outbox.send_due(ResultMail.objects.select_related("update__district", "member"), message)


def message(letter: ResultMail) -> EmailMultiAlternatives:
    """The mail itself: no names, birth dates, IDs or passwords of students."""
    facts = _context(report(letter.update), letter.update)
    return outbox.message(
        letter, "updates/result", facts, f"update-{letter.update_id}.letter-{letter.pk}"
    )


def _recipients(update: UpdateJob) -> Iterator[Member]:
    """Who started the update, and who gets the results of the whole district; nobody who may not sign in any more."""
    members = Member.objects.filter(district=update.district_id, is_active=True)
    return members.filter(Q(receives_results=True) | Q(pk=update.member_id)).iterator()


def _context(told: Report, update: UpdateJob) -> dict[str, object]:
    lines = rejected_lines(update)
    return {
        "report": told,
        "words": words_of(told).word,
        "sentence": result_sentence(told),
        "errors": [group for group in told.groups if group.severity is Severity.ERROR],
        "warnings": [group for group in told.groups if group.severity is Severity.WARNING],
        "lines": lines,
        "all_lines_named": told.rejected <= MAX_LINES_SHOWN,
        "most_lines": MAX_LINES_SHOWN,
        "previous": previous(update),
        "received": format_datetime(told.received_at, told.time_zone),
        "started": format_datetime(told.started_at, told.time_zone),
        "ended": format_datetime(told.ended_at, told.time_zone),
        "took": told.ended_at - told.started_at if told.ended_at and told.started_at else None,
        "url": settings.URL,
    }
