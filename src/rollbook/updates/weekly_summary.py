"""Queue the weekly summaries: what happened in a week, on the Monday after it.

A summary is about the local days from one Monday to the next. Its member gets it once, because the
member's ``summarized_on`` changes in the transaction that queues it: a kill leaves both or neither,
and neither a clock that is set back nor a second process repeats it. If the server isn't running
on Monday morning, it is queued as soon as it is.
"""

from datetime import date, datetime, timedelta

from django.db import transaction
from django.db.models import Count, Q, QuerySet, Sum

from rollbook.accounts import mails
from rollbook.accounts.email_choice import EmailChoice, last_summary_day
from rollbook.accounts.models import AccountMailKind, Member
from rollbook.accounts.permissions import Permission
from rollbook.districts.local_dates import local_midnight
from rollbook.districts.models import District, MissedFile
from rollbook.updates.models import UpdateJob
from rollbook.updates.state_machine import REPLACED, State

WEEK = timedelta(days=7)


def queue_due(now: datetime) -> int:
    """Queue the summaries that are due, and return how many."""
    weekly = Member.objects.filter(is_active=True, update_emails=EmailChoice.WEEKLY)
    keys = set(weekly.values_list("district", flat=True))
    districts = District.objects.filter(pk__in=keys, suspended_at=None)
    return sum(_queue(district, now) for district in districts)


def figures_of(district: District, monday: date) -> dict[str, int]:
    """Return the numbers of the week before a Monday.

    Args:
        district: The district.
        monday: The day after the week.

    Returns:
        The number of updates that ended, of students who changed, were added or deactivated, of
        rows that were rejected, of updates by how they ended, and of missing files.
    """
    begin, end = local_midnight(district, monday - WEEK), local_midnight(district, monday)
    ended = UpdateJob.objects.filter(
        district=district, is_check=False, ended_at__gte=begin, ended_at__lt=end
    ).exclude(discard_reason=REPLACED)
    found = ended.aggregate(
        updates=Count("pk"),
        changed=Sum("rows_updated", default=0),
        added=Sum("rows_added", default=0),
        deactivated=Sum("rows_deactivated", default=0),
        rejected=Sum("rows_rejected", default=0),
        not_accepted=Count("pk", filter=Q(state=State.REFUSED)),
        failed=Count("pk", filter=Q(state=State.FAILED)),
        canceled=Count("pk", filter=Q(state=State.CANCELED)),
        discarded=Count("pk", filter=Q(state=State.DISCARDED)),
    )
    missed = MissedFile.objects.filter(district=district, day__gte=monday - WEEK, day__lt=monday)
    return {**found, "missing": missed.count()}


def _queue(district: District, now: datetime) -> int:
    """Queue the summaries of a district, and return how many."""
    monday = last_summary_day(district.time_zone, now)
    due = _due(monday).filter(district=district, is_active=True, update_emails=EmailChoice.WEEKLY)
    recipients = list(filter(_gets_results, due.select_related("role").order_by("pk")))
    if not recipients:
        return 0
    figures = figures_of(district, monday)
    return sum(_queue_once(member, monday, figures, now) for member in recipients)


def _due(monday: date) -> "QuerySet[Member]":
    """Return the members who have no summary of this Monday, nor of a later one."""
    return Member.objects.filter(Q(summarized_on=None) | Q(summarized_on__lt=monday))


def _gets_results(member: Member) -> bool:
    """Return whether a member gets emails about updates, or may see them."""
    return member.receives_results or member.may(Permission.UPDATE_STUDENTS)


def _queue_once(member: Member, monday: date, figures: dict[str, int], now: datetime) -> bool:
    """Queue the summary of a member unless another process has; return whether it was queued."""
    with transaction.atomic():
        if not _due(monday).filter(pk=member.pk).update(summarized_on=monday):
            return False
        kind = AccountMailKind.WEEKLY_SUMMARY
        mails.queue_mail(member, kind, now, about=monday.isoformat(), figures=figures)
    return True
