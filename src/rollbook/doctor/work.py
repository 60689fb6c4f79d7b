"""Whether the work gets done: a worker that lives, updates that move, letters that are sent."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Max, QuerySet
from django.utils import timezone

from rollbook.doctor.findings import Finding, error, ok, warning
from rollbook.doctor.installation import Installation
from rollbook.staff.models import StaffLetter
from rollbook.updates.models import Letter, Piece, Update
from rollbook.updates.moves import LIVE, WORKING, State
from rollbook.updates.running import worker_seen
from rollbook.updates.wording import counted

STANDS_STILL = timedelta(minutes=10)
WAITS_LONG = timedelta(hours=1)
UNSENT_LONG = timedelta(minutes=10)
LATELY = timedelta(days=7)
MOST_SHOWN = 3
_START = "start `rollbook serve`, or on many machines `rollbook worker`"


def worker(here: Installation) -> Iterator[Finding]:
    """Whether somebody is there to work on updates."""
    seen = worker_seen()
    when = f"the last was seen at {_moment(seen.at)}" if seen.at else "none has ever been seen"
    waiting = Update.objects.filter(state__in=LIVE).count()
    if seen.alive:
        yield ok("a worker lives" + (f", last seen at {_moment(seen.at)}" if seen.at else ""))
    elif waiting:
        yield error(f"no worker lives ({when}); {counted(waiting, 'update')} waiting for one", _START)
    else:
        yield warning(f"no worker lives ({when}), so the next update will wait", _START)


def updates(here: Installation) -> Iterator[Finding]:
    """Those that should move and do not, those whose file is gone, and those that failed lately."""
    live = list(Update.objects.filter(state__in=LIVE).select_related("district").order_by("received_at", "number"))
    failed = _failed()
    problems = [*_standing_still(live), *_waiting(live), *_without_file(live), *failed]
    yield from problems
    if not problems:
        working = sum(update.state in WORKING for update in live)
        yield ok(f"{working} in work, {len(live) - working} waiting, none failed in the last {LATELY.days} days")


def _standing_still(live: list[Update]) -> Iterator[Finding]:
    now = timezone.now()
    for update in live:
        moved = update.progressed_at or update.started_at or update.received_at
        if update.state in WORKING and now - moved > STANDS_STILL:
            yield error(
                f"{_named(update)} is {update.state}, and nothing has moved since {_moment(moved)}",
                "see the worker's log for why; starting the server again takes it up where it was",
            )


def _waiting(live: list[Update]) -> Iterator[Finding]:
    busy = {update.district_id for update in live if update.state in WORKING}
    now = timezone.now()
    long = [
        update
        for update in live
        if update.state == State.RECEIVED and update.district_id not in busy and now - update.received_at > WAITS_LONG
    ]
    if long:
        others = f", and {counted(len(long) - 1, 'other')} too," if len(long) > 1 else ""
        yield error(
            f"{_named(long[0])}{others} waits since {_moment(long[0].received_at)}, and nobody works for its district",
            "see that a worker lives, and its log",
        )


def _without_file(live: list[Update]) -> Iterator[Finding]:
    for update in live:
        if not (settings.SPOOL / update.spool_name).exists() and not _is_in_the_database(update):
            yield error(
                f"the file of {_named(update)} is gone from {settings.SPOOL}",
                "bring the spool back from the backup that the database is from; else let the district send it again",
            )


def _is_in_the_database(update: Update) -> bool:
    """On PostgreSQL the folder holds copies."""
    return Piece.objects.filter(spool_name=update.spool_name).exists()


def _failed() -> Iterator[Finding]:
    recent = Update.objects.filter(state=State.FAILED, ended_at__gt=timezone.now() - LATELY)
    for update in recent.select_related("district").order_by("-ended_at")[:MOST_SHOWN]:
        yield warning(
            f"{_named(update)} failed at {_moment(update.ended_at)} by a fault of ours, reference {update.reference}",
            "search the worker's log for the reference, report it, and let the district send the file again",
        )


def letters(here: Installation) -> Iterator[Finding]:
    """Those that are tried again and again, those nobody has tried, and those given up."""
    about_updates: QuerySet[Any] = Letter.objects.select_related("update__district")
    about_access: QuerySet[Any] = StaffLetter.objects.select_related("member__district")
    problems = [*_unsent(about_updates), *_unsent(about_access)]
    yield from problems
    if not problems:
        sent = [at for some in (about_updates, about_access) if (at := some.aggregate(last=Max("sent_at"))["last"])]
        last = f"; the last was sent at {_moment(max(sent))}" if sent else ", and none was ever sent"
        yield ok(f"none waits{last}")


def _unsent(some: "QuerySet[Any]") -> Iterator[Finding]:
    now = timezone.now()
    put_off = some.filter(next_try_at__isnull=False, tries__gt=0)
    untried = some.filter(next_try_at__isnull=False, tries=0, written_at__lt=now - UNSENT_LONG)
    # One without an error was put away, as nobody wanted it any more.
    given_up = some.filter(next_try_at=None, sent_at=None, written_at__gt=now - LATELY).exclude(last_error="")
    yield from _told(
        put_off,
        "tried, but not sent yet",
        "see below what is wrong with the mail server; they are tried again for two days",
    )
    yield from _told(untried, "not even tried, though it is time", "see that a worker lives, and its log")
    yield from _told(given_up, "given up in the last 7 days", "see to the mail server, and tell the readers")


def _told(chosen: "QuerySet[Any]", what: str, repair: str) -> Iterator[Finding]:
    count = chosen.count()
    last = chosen.order_by("-written_at").first()
    if last:
        why = f", last error {last.last_error}" if last.last_error else ""
        yield warning(f"{what}: {counted(count, 'letter')}, the latest about {_about(last)}{why}", repair)


def _about(letter: Letter | StaffLetter) -> str:
    if isinstance(letter, Letter):
        return _named(letter.update)
    return f"the account of a member of {letter.member.district.slug}"


def _named(update: Update) -> str:
    return f"update {update.number} of {update.district.slug}"


def _moment(at: datetime | None) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" if at else "an unknown time"
