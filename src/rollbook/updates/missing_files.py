"""Tell a district when its student file doesn't arrive, and when a pause begins or ends.

Each expected file is reported at most once, because the local day identifies it: neither a clock
that is set back nor another time zone repeats it. A server that wasn't running at that time reports
the last file that was due, late.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import F, QuerySet

from rollbook.accounts import mails
from rollbook.accounts.audit import log
from rollbook.accounts.managers import district_managers
from rollbook.accounts.members.members import result_recipients
from rollbook.accounts.models import AccountMailKind, Member
from rollbook.districts import schedules
from rollbook.districts.file_schedule import ExpectedFile, Schedule
from rollbook.districts.local_dates import local_date
from rollbook.districts.models import District, FileSchedule, MissedFile, SchedulePause
from rollbook.students.models import Student
from rollbook.text import format_datetime
from rollbook.updates.models import UpdateJob
from rollbook.updates.state_machine import UNFINISHED, State

ANNOUNCED_AT = time(8)
"""The local time at which a pause is announced."""


@dataclass(frozen=True)
class FileStatus:
    """What Home says about files that are expected.

    Attributes:
        missed: The file that is missing now; None if the last one that was due has arrived.
        next_file: The file that is expected next; None if there is none.
        is_paused: Whether a pause covers today.
    """

    missed: MissedFile | None
    next_file: ExpectedFile | None
    is_paused: bool


def check(now: datetime) -> int:
    """Report what is missing in all districts, and announce pauses; return the number of emails."""
    scheduled = FileSchedule.objects.filter(district__suspended_at=None)
    return sum(_check(key, now) for key in scheduled.values_list("pk", flat=True))


def status(district: District, now: datetime) -> FileStatus | None:
    """Return what is expected of a district; None if nothing is."""
    stored = schedules.find(district)
    if stored is None:
        return None
    schedule = schedules.to_schedule(stored)
    missed = MissedFile.objects.filter(district=district).order_by("-expected_at").first()
    if missed and _has_arrived(stored, missed.previous_at):
        missed = None
    is_paused = schedule.is_paused(local_date(district, now))
    return FileStatus(missed, schedule.next_after(now), is_paused)


def recipients(district: District) -> Sequence[Member]:
    """Return who gets the emails: those who get all results, or else the district managers."""
    return result_recipients(district) or district_managers(district)


def _check(key: int, now: datetime) -> int:
    with transaction.atomic():
        district = District.objects.select_for_update(no_key=True).get(pk=key)
        stored = schedules.find(district)
        if stored is None:
            return 0
        schedule = schedules.to_schedule(stored)
        return _report_missing(stored, schedule, now) + _announce_pauses(district, schedule, now)


def _report_missing(stored: FileSchedule, schedule: Schedule, now: datetime) -> int:
    """Report the file that was due last, unless it has arrived or was reported."""
    grace = timedelta(minutes=stored.grace_minutes)
    due = schedule.last_due(now - grace, stored.since)
    district = stored.district
    if due is None or MissedFile.objects.filter(district=district, day__gte=due.day).exists():
        return 0
    if _has_arrived(stored, due.previous_at) or _may_still_complete(district, due.previous_at):
        return 0
    MissedFile.objects.create(
        district=district,
        day=due.day,
        expected_at=due.at,
        previous_at=due.previous_at,
        noticed_at=now,
    )
    by = format_datetime(due.at, district.time_zone)
    log.record("file missing", "noticed", district=district, detail=f"expected by {by}", now=now)
    about = due.at.isoformat()
    return _queue(district, AccountMailKind.FILE_MISSING, now, about, _last_good(district))


def _has_arrived(stored: FileSchedule, since: datetime) -> bool:
    """Return whether a complete file has arrived since then and was applied."""
    good = _received_since(stored.district, since).filter(state=State.COMPLETED)
    good = good.filter(rows_rejected__lt=F("rows"))
    if stored.needs_half:
        active = Student.objects.filter(district=stored.district, status="active").count()
        good = good.filter(rows__gte=(active + 1) // 2)
    return good.exists()


def _may_still_complete(district: District, since: datetime) -> bool:
    """Return whether a file has arrived since then whose update hasn't ended yet.

    A dry run is no update, and of a plan that is held, the recipients have an email already.
    """
    return _received_since(district, since).filter(state__in=UNFINISHED, is_check=False).exists()


def _received_since(district: District, since: datetime) -> "QuerySet[UpdateJob]":
    """Return the updates received since then, without those that correct or undo another one."""
    received = UpdateJob.objects.filter(district=district, received_at__gt=since)
    return received.filter(corrects=None, undoes=None)


def _last_good(district: District) -> str:
    """Return when the last file arrived that was applied, in ISO 8601; empty if there was none."""
    good = UpdateJob.objects.filter(district=district, state=State.COMPLETED, undoes=None)
    received_at = good.order_by("-number").values_list("received_at", flat=True).first()
    return received_at.isoformat() if received_at else ""


def _announce_pauses(district: District, schedule: Schedule, now: datetime) -> int:
    """Queue the emails on the days before a pause begins and before files are expected again."""
    local = now.astimezone(ZoneInfo(district.time_zone))
    if local.time() < ANNOUNCED_AT:
        return 0
    today, tomorrow = local.date(), local.date() + timedelta(days=1)
    count = 0
    pauses = SchedulePause.objects.filter(district=district)
    for pause in pauses.filter(begin_announced=False, first=tomorrow):
        SchedulePause.objects.filter(pk=pause.pk).update(begin_announced=True)
        first, last = pause.first.isoformat(), pause.last.isoformat()
        count += _queue(district, AccountMailKind.PAUSE_BEGINS, now, first, last)
    for pause in pauses.filter(end_announced=False, last=today):
        SchedulePause.objects.filter(pk=pause.pk).update(end_announced=True)
        if next_file := schedule.next_after(now):
            by = next_file.at.isoformat()
            count += _queue(district, AccountMailKind.PAUSE_ENDS, now, by)
    return count


def _queue(
    district: District, kind: AccountMailKind, now: datetime, about: str, detail: str = ""
) -> int:
    told = recipients(district)
    for member in told:
        mails.queue_mail(member, kind, now, about=about, detail=detail)
    return len(told)
