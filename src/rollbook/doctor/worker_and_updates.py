"""Checks that a worker is running, updates make progress, and emails are sent."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Max, QuerySet
from django.utils import timezone

from rollbook.accounts import mail_hold
from rollbook.accounts.models import AccountMail
from rollbook.doctor.installation import Installation
from rollbook.doctor.result import CheckResult, error, ok, warning
from rollbook.mail.states import given_up
from rollbook.text import count_of
from rollbook.updates.models import FileChunk, ResultMail, UpdateJob
from rollbook.updates.reporting.overview import STALLED_AFTER
from rollbook.updates.runner import worker_status
from rollbook.updates.state_machine import IN_PROGRESS, PLAN_WAITING, UNFINISHED, State

WAITING_LONG = timedelta(hours=1)
UNSENT_LONG_AFTER = timedelta(minutes=10)
RECENT = timedelta(days=7)
MAX_SHOWN = 3
_START = "start `rollbook serve`, or on many machines `rollbook worker`"


def worker(installation: Installation) -> Iterator[CheckResult]:
    """Check that a worker is running."""
    status = worker_status()
    when = f"the last was seen at {_moment(status.at)}" if status.at else "no worker has ever run"
    waiting = _unfinished().count()
    if status.alive:
        yield ok(
            "a worker is running" + (f", last seen at {_moment(status.at)}" if status.at else "")
        )
    elif waiting:
        yield error(
            f"no worker is running ({when}); {count_of(waiting, 'update')} waiting for one", _START
        )
    else:
        yield warning(f"no worker is running ({when}), so the next update will wait", _START)


def updates(installation: Installation) -> Iterator[CheckResult]:
    """Find updates without progress, updates without their file, and recent failures."""
    live = list(_unfinished().select_related("district").order_by("received_at", "number"))
    failed = _failed()
    problems = [*_stalled(live), *_waiting(live), *_without_file(live), *failed]
    yield from problems
    if not problems:
        working = sum(update.state in IN_PROGRESS for update in live)
        plans = sum(update.state in PLAN_WAITING for update in live)
        yield ok(
            f"{working} in progress, {len(live) - working - plans} waiting, "
            f"{count_of(plans, 'plan')} to be decided on, "
            f"none failed in the last {RECENT.days} days"
        )


def _unfinished() -> "QuerySet[UpdateJob]":
    """Return the unfinished updates of districts that aren't suspended."""
    return UpdateJob.objects.filter(state__in=UNFINISHED, district__suspended_at=None)


def _stalled(live: list[UpdateJob]) -> Iterator[CheckResult]:
    now = timezone.now()
    for update in live:
        moved = update.progressed_at or update.started_at or update.received_at
        if update.state in IN_PROGRESS and now - moved > STALLED_AFTER:
            yield error(
                f"{_named(update)} is {update.state}, without progress since {_moment(moved)}",
                "see the worker's log for the cause; a restart continues the update",
            )


def _waiting(live: list[UpdateJob]) -> Iterator[CheckResult]:
    busy = {update.district_id for update in live if update.state in IN_PROGRESS}
    now = timezone.now()
    long = [
        update
        for update in live
        if update.state == State.RECEIVED
        and update.district_id not in busy
        and now - update.received_at > WAITING_LONG
    ]
    if long:
        others = f", and {count_of(len(long) - 1, 'other')} too," if len(long) > 1 else ""
        yield error(
            f"{_named(long[0])}{others} has been waiting since {_moment(long[0].received_at)}, "
            "and no other update of its district is in progress",
            "check that a worker is running, and see its log",
        )


def _without_file(live: list[UpdateJob]) -> Iterator[CheckResult]:
    with_file = [update for update in live if not update.file_removed_at]
    for update in with_file:
        if not (settings.SPOOL / update.spool_name).exists() and not _is_in_database(update):
            yield error(
                f"the file of {_named(update)} is missing from {settings.SPOOL}",
                "restore the spool from the same backup as the database; "
                "if there is none, ask the district to upload the file again",
            )


def _is_in_database(update: UpdateJob) -> bool:
    """Return whether the database has the file; on PostgreSQL the spool has copies only."""
    return FileChunk.objects.filter(spool_name=update.spool_name).exists()


def _failed() -> Iterator[CheckResult]:
    recent = UpdateJob.objects.filter(state=State.FAILED, ended_at__gt=timezone.now() - RECENT)
    for update in recent.select_related("district").order_by("-ended_at")[:MAX_SHOWN]:
        yield warning(
            f"{_named(update)} failed at {_moment(update.ended_at)} "
            f"because of a problem in Rollbook, reference {update.error_reference}",
            "search the worker's log for the reference, report it, "
            "and ask the district to upload the file again",
        )


def emails(installation: Installation) -> Iterator[CheckResult]:
    """Find emails that are held, retried, overdue, or given up, but for those of the suspended."""
    if since := mail_hold.held_since():
        yield warning(
            f"emails are held since the restore at {_moment(since)}",
            "see `rollbook mail show`, then run `rollbook mail release`",
        )
        return
    about_updates: QuerySet[Any] = ResultMail.objects.filter(update__district__suspended_at=None)
    about_updates = about_updates.select_related("update__district")
    about_access: QuerySet[Any] = AccountMail.objects.filter(member__district__suspended_at=None)
    about_access = about_access.select_related("member__district")
    problems = [*_unsent(about_updates), *_unsent(about_access)]
    yield from problems
    if not problems:
        yield ok(f"none waiting{_last_sent(about_updates, about_access)}")


def _last_sent(*mails: "QuerySet[Any]") -> str:
    times = [queryset.aggregate(last=Max("sent_at"))["last"] for queryset in mails]
    times = list(filter(None, times))
    return f"; the last was sent at {_moment(max(times))}" if times else ", and none was ever sent"


def _unsent(mails: "QuerySet[Any]") -> Iterator[CheckResult]:
    now = timezone.now()
    postponed = mails.filter(next_attempt_at__isnull=False, attempts__gt=0)
    untried = mails.filter(
        next_attempt_at__isnull=False, attempts=0, queued_at__lt=now - UNSENT_LONG_AFTER
    )
    yield from _group(
        postponed,
        "tried, but not sent yet",
        "see the result for the mail server below; retries continue for two days",
    )
    yield from _group(
        untried, "overdue, but never tried", "check that a worker is running, and see its log"
    )
    yield from _group(
        given_up(mails, now - RECENT),
        "given up in the last 7 days",
        "check the mail server, and inform the recipients",
    )


def _group(mails: "QuerySet[Any]", what: str, fix: str) -> Iterator[CheckResult]:
    count = mails.count()
    last = mails.order_by("-queued_at").first()
    if last:
        why = f", last error {last.last_error}" if last.last_error else ""
        yield warning(
            f"{what}: {count_of(count, 'email')}, the latest about {_about(last)}{why}", fix
        )


def _about(mail: ResultMail | AccountMail) -> str:
    if isinstance(mail, ResultMail):
        return _named(mail.update)
    return f"the account of a member of {mail.member.district.slug}"


def _named(update: UpdateJob) -> str:
    return f"update {update.number} of {update.district.slug}"


def _moment(at: datetime | None) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" if at else "an unknown time"
