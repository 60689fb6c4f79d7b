"""The updates of a district one after the other: filtered, night by night, and how the last night went."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Q, QuerySet

from rollbook.accounts.models import Member
from rollbook.districts.local_dates import local_date, local_midnight
from rollbook.districts.models import District
from rollbook.pagination import Page, page_of
from rollbook.updates.models import UpdateJob
from rollbook.updates.reporting.report import RELATED
from rollbook.updates.reporting.state_words import (
    BEST_TO_WORST,
    NO_FILE,
    RUNNING,
    StateWords,
    words_of,
)
from rollbook.updates.state_machine import IN_PROGRESS, UNFINISHED, State

OPERATOR = 0
"""In the place of a member's key: the operator of the server."""


@dataclass(frozen=True)
class DailySummary:
    """The updates that came in on one day of the district: their numbers, what became of their rows, and the word for
    how the worst of them stands.
    """

    day: date
    numbers: tuple[int, ...]
    changed: int
    unchanged: int
    rejected: int
    not_processed: int
    worst: str


@dataclass(frozen=True)
class LatestUpdates:
    """The update that ended last, the one in work, the numbers of those that wait, and when the last file came in."""

    last: UpdateJob | None
    running: UpdateJob | None
    waiting: tuple[int, ...]
    received_at: datetime | None


def list_updates(
    district: District,
    *,
    state: State | None = None,
    who: int | None = None,
    since: date | None = None,
    until: date | None = None,
    with_errors: bool | None = None,
    page: int = 1,
    size: int = 50,
) -> Page[UpdateJob]:
    """The district's updates, the latest first. ``who`` is a member's key or HOST; the days are those on which they
    came in, both included, and ``with_errors`` picks those with rejected rows or those without.
    """
    updates = UpdateJob.objects.filter(district=district)
    if state:
        updates = updates.filter(state=state)
    if who is not None:
        updates = updates.filter(member=who or None)
    if since:
        updates = updates.filter(received_at__gte=local_midnight(district, since))
    if until:
        updates = updates.filter(
            received_at__lt=local_midnight(district, until + timedelta(days=1))
        )
    if with_errors is not None:
        updates = updates.filter(Q(rows_rejected__gt=0) if with_errors else Q(rows_rejected=0))
    latest = updates.select_related(*RELATED).order_by("-number")
    return page_of(updates.count(), page, size, lambda first, last: list(latest[first:last]))


def starters(district: District) -> list[Member]:
    """The members who have started an update."""
    started = UpdateJob.objects.filter(district=district).order_by().values("member").distinct()
    return list(Member.objects.filter(pk__in=started).order_by("last_name", "first_name", "pk"))


def daily_summaries(district: District, today: date, days: int = 30) -> list[DailySummary]:
    """So many days up to ``today``, the oldest first; a day without an update is one too."""
    first = today - timedelta(days=days - 1)
    of_day: defaultdict[date, list[UpdateJob]] = defaultdict(list)
    for update in _since(district, local_midnight(district, first)):
        of_day[local_date(district, update.received_at)].append(update)
    return [
        _daily_summary(day, of_day[day]) for day in (first + timedelta(days=n) for n in range(days))
    ]


def latest_updates(district: District) -> LatestUpdates:
    """What there is to say of a district in one sentence."""
    updates = UpdateJob.objects.filter(district=district).select_related(*RELATED)
    live = updates.filter(state__in=UNFINISHED).order_by("number")
    newest = updates.order_by("-number").first()
    return LatestUpdates(
        last=updates.exclude(state__in=UNFINISHED).order_by("-ended_at", "-number").first(),
        running=next((update for update in live if update.state in IN_PROGRESS), None),
        waiting=tuple(update.number for update in live if update.state not in IN_PROGRESS),
        received_at=newest.received_at if newest else None,
    )


def _since(district: District, moment: datetime) -> "QuerySet[UpdateJob]":
    """What a night counts, and nothing of their headers and marks."""
    updates = UpdateJob.objects.filter(district=district, received_at__gte=moment).order_by(
        "number"
    )
    return updates.only(
        "number",
        "state",
        "received_at",
        "rows",
        "rows_updated",
        "rows_added",
        "rows_unchanged",
        "rows_rejected",
    )


def _daily_summary(day: date, updates: list[UpdateJob]) -> DailySummary:
    ended = [update for update in updates if update.state not in UNFINISHED]
    return DailySummary(
        day=day,
        numbers=tuple(update.number for update in updates),
        changed=sum(update.changed for update in ended),
        unchanged=sum(update.rows_unchanged for update in ended),
        rejected=sum(update.rows_rejected for update in ended),
        not_processed=sum(update.not_processed for update in ended),
        worst=max(map(_words, updates), key=BEST_TO_WORST.index, default=NO_FILE).word,
    )


def _words(update: UpdateJob) -> StateWords:
    return RUNNING if update.state in UNFINISHED else words_of(update)
