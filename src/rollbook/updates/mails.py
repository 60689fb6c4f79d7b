"""Queue a result email for each recipient when an update has ended, and build its content.

``rollbook.mail.outbox`` sends the emails and retries.
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
from rollbook.updates.reporting.remarks import named_columns
from rollbook.updates.reporting.report import (
    MAX_LINES_SHOWN,
    Report,
    previous,
    rejected_lines,
    report,
)
from rollbook.updates.reporting.state_words import MODES, result_sentence, words_of
from rollbook.updates.state_machine import UNFINISHED


def queue_result_mails() -> int:
    """Queue the emails of all ended updates that have none; return the number of updates."""
    ended = (
        UpdateJob.objects.exclude(state__in=UNFINISHED)
        .filter(mails_queued_at=None)
        .select_related("district", "member")
    )
    for update in ended:
        _queue(update)
    return len(ended)


def send_due() -> int:
    """Try to send every email that is due; return how many were tried.

    Emails of a suspended district wait until it is resumed.
    """
    mails = ResultMail.objects.filter(update__district__suspended_at=None)
    return outbox.send_due(mails.select_related("update__district", "member"), message)


def message(mail: ResultMail) -> EmailMultiAlternatives:
    """Build the email. It has no names, birth dates, IDs or passwords of students."""
    context = _context(report(mail.update), mail.update)
    message_id = f"update-{mail.update_id}.mail-{mail.pk}"
    return outbox.render_message(mail, "updates/result.html", context, message_id)


def _queue(update: UpdateJob) -> None:
    with transaction.atomic():
        now = timezone.now()
        unqueued = UpdateJob.objects.filter(pk=update.pk, mails_queued_at=None)
        if unqueued.update(mails_queued_at=now):
            ResultMail.objects.bulk_create(
                ResultMail(update=update, member=member, queued_at=now, next_attempt_at=now)
                for member in _recipients(update)
            )


def _recipients(update: UpdateJob) -> Iterator[Member]:
    """Return the active members who started the update or receive all results of the district."""
    members = Member.objects.filter(district=update.district_id, is_active=True)
    return members.filter(Q(receives_results=True) | Q(pk=update.member_id)).iterator()


def _context(update_report: Report, update: UpdateJob) -> dict[str, object]:
    errors = [group for group in update_report.groups if group.severity is Severity.ERROR]
    warnings = [group for group in update_report.groups if group.severity is Severity.WARNING]
    return {
        "report": update_report,
        "district_name": update_report.district,
        "words": words_of(update_report).word,
        "sentence": result_sentence(update_report),
        "mode": MODES[update_report.mode],
        "errors": errors,
        "warnings": warnings,
        "ignored": named_columns(update_report),
        "lines": rejected_lines(update),
        "are_all_lines_shown": update_report.rejected <= MAX_LINES_SHOWN,
        "max_lines": MAX_LINES_SHOWN,
        "previous": previous(update),
        "url": settings.URL,
        **_times(update_report),
    }


def _times(update_report: Report) -> dict[str, object]:
    started_at, ended_at = update_report.started_at, update_report.ended_at
    time_zone = update_report.time_zone
    return {
        "received": format_datetime(update_report.received_at, time_zone),
        "started": format_datetime(started_at, time_zone),
        "ended": format_datetime(ended_at, time_zone),
        "took": ended_at - started_at if ended_at and started_at else None,
    }
