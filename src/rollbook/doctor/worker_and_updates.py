"""Whether the work gets done: a worker that lives, updates that move, letters that are sent."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Max, QuerySet
from django.utils import timezone

from rollbook.accounts.models import AccountMail
from rollbook.doctor.installation import Installation
from rollbook.doctor.result import CheckResult, error, ok, warning
from rollbook.text import count_of
from rollbook.updates.models import FileChunk, ResultMail, UpdateJob
from rollbook.updates.runner import worker_status
from rollbook.updates.state_machine import IN_PROGRESS, UNFINISHED, State

STALLED_AFTER = timedelta(minutes=10)
WAITING_LONG = timedelta(hours=1)
UNSENT_LONG_AFTER = timedelta(minutes=10)
RECENT = timedelta(days=7)
MAX_SHOWN = 3
_START = "start `rollbook serve`, or on many machines `rollbook worker`"


def worker(here: Installation) -> Iterator[CheckResult]:
    """Whether somebody is there to work on updates."""
    seen = worker_status()
    when = f"the last was seen at {_moment(seen.at)}" if seen.at else "none has ever been seen"
    waiting = UpdateJob.objects.filter(state__in=UNFINISHED).count()
    if seen.alive:
        yield ok("a worker lives" + (f", last seen at {_moment(seen.at)}" if seen.at else ""))
    elif waiting:
        yield error(
            f"no worker lives ({when}); {count_of(waiting, 'update')} waiting for one", _START
        )
    else:
        yield warning(f"no worker lives ({when}), so the next update will wait", _START)


def updates(here: Installation) -> Iterator[CheckResult]:
    """Those that should move and do not, those whose file is gone, and those that failed lately."""
    live = list(
        UpdateJob.objects.filter(state__in=UNFINISHED)
        .select_related("district")
        .order_by("received_at", "number")
    )
    failed = _failed()
    problems = [*_standing_still(live), *_waiting(live), *_without_file(live), *failed]
    yield from problems
    if not problems:
        working = sum(update.state in IN_PROGRESS for update in live)
        yield ok(
            f"{working} in work, {len(live) - working} waiting, none failed in the last {RECENT.days} days"
        )


def _standing_still(live: list[UpdateJob]) -> Iterator[CheckResult]:
    now = timezone.now()
    for update in live:
        moved = update.progressed_at or update.started_at or update.received_at
        if update.state in IN_PROGRESS and now - moved > STALLED_AFTER:
            yield error(
                f"{_named(update)} is {update.state}, and nothing has moved since {_moment(moved)}",
                "see the worker's log for why; starting the server again takes it up where it was",
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
            f"{_named(long[0])}{others} waits since {_moment(long[0].received_at)}, and nobody works for its district",
            "see that a worker lives, and its log",
        )


def _without_file(live: list[UpdateJob]) -> Iterator[CheckResult]:
    for update in live:
        if not (settings.SPOOL / update.spool_name).exists() and not _is_in_the_database(update):
            yield error(
                f"the file of {_named(update)} is gone from {settings.SPOOL}",
                "bring the spool back from the backup that the database is from; else let the district send it again",
            )


def _is_in_the_database(update: UpdateJob) -> bool:
    """On PostgreSQL the folder holds copies."""
    return FileChunk.objects.filter(spool_name=update.spool_name).exists()


def _failed() -> Iterator[CheckResult]:
    recent = UpdateJob.objects.filter(state=State.FAILED, ended_at__gt=timezone.now() - RECENT)
    for update in recent.select_related("district").order_by("-ended_at")[:MAX_SHOWN]:
        yield warning(
            f"{_named(update)} failed at {_moment(update.ended_at)} by a fault of ours, reference {update.error_reference}",
            "search the worker's log for the reference, report it, and let the district send the file again",
        )


def letters(here: Installation) -> Iterator[CheckResult]:
    """Those that are tried again and again, those nobody has tried, and those given up."""
    about_updates: QuerySet[Any] = ResultMail.objects.select_related("update__district")
    about_access: QuerySet[Any] = AccountMail.objects.select_related("member__district")
    problems = [*_unsent(about_updates), *_unsent(about_access)]
    yield from problems
    if not problems:
        sent = [
            at
            for some in (about_updates, about_access)
            if (at := some.aggregate(last=Max("sent_at"))["last"])
        ]
        last = (
            f"; the last was sent at {_moment(max(sent))}" if sent else ", and none was ever sent"
        )
        yield ok(f"none waits{last}")


def _unsent(some: "QuerySet[Any]") -> Iterator[CheckResult]:
    now = timezone.now()
    put_off = some.filter(next_attempt_at__isnull=False, attempts__gt=0)
    untried = some.filter(
        next_attempt_at__isnull=False, attempts=0, queued_at__lt=now - UNSENT_LONG_AFTER
    )
    # One without an error was put away, as nobody wanted it any more.
    given_up = some.filter(next_attempt_at=None, sent_at=None, queued_at__gt=now - RECENT).exclude(
        last_error=""
    )
    yield from _told(
        put_off,
        "tried, but not sent yet",
        "see below what is wrong with the mail server; they are tried again for two days",
    )
    yield from _told(
        untried, "not even tried, though it is time", "see that a worker lives, and its log"
    )
    yield from _told(
        given_up, "given up in the last 7 days", "see to the mail server, and tell the readers"
    )


def _told(chosen: "QuerySet[Any]", what: str, repair: str) -> Iterator[CheckResult]:
    count = chosen.count()
    last = chosen.order_by("-queued_at").first()
    if last:
        why = f", last error {last.last_error}" if last.last_error else ""
        yield warning(
            f"{what}: {count_of(count, 'letter')}, the latest about {_about(last)}{why}", repair
        )


def _about(letter: ResultMail | AccountMail) -> str:
    if isinstance(letter, ResultMail):
        return _named(letter.update)
    return f"the account of a member of {letter.member.district.slug}"


def _named(update: UpdateJob) -> str:
    return f"update {update.number} of {update.district.slug}"


def _moment(at: datetime | None) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" if at else "an unknown time"
