"""The updates of a district one after the other: filtered, night by night, and how the last night went."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Q, QuerySet

from rollbook.roster.days import day_of, midnight
from rollbook.roster.models import District
from rollbook.staff.models import Member
from rollbook.updates.models import Update
from rollbook.updates.moves import LIVE, WORKING, State
from rollbook.updates.paging import Page, page_of
from rollbook.updates.report import TOLD_WITH
from rollbook.updates.state_words import BEST_TO_WORST, NO_FILE, RUNNING, StateWords, words_of

HOST = 0
"""In the place of a member's key: the operator of the server."""


@dataclass(frozen=True)
class Night:
    """The updates that came in on one day of the district: their numbers, what became of their rows, and the word for
    how the worst of them stands."""

    day: date
    numbers: tuple[int, ...]
    changed: int
    unchanged: int
    rejected: int
    not_processed: int
    worst: str


@dataclass(frozen=True)
class LastNight:
    """The update that ended last, the one in work, the numbers of those that wait, and when the last file came in."""

    last: Update | None
    running: Update | None
    waiting: tuple[int, ...]
    received_at: datetime | None


def listed(
    district: District,
    *,
    state: State | None = None,
    who: int | None = None,
    since: date | None = None,
    until: date | None = None,
    with_errors: bool | None = None,
    page: int = 1,
    size: int = 50,
) -> Page[Update]:
    """The district's updates, the latest first. ``who`` is a member's key or HOST; the days are those on which they
    came in, both included, and ``with_errors`` picks those with rejected rows or those without.
    """
    updates = Update.objects.filter(district=district)
    if state:
        updates = updates.filter(state=state)
    if who is not None:
        updates = updates.filter(member=who or None)
    if since:
        updates = updates.filter(received_at__gte=midnight(district, since))
    if until:
        updates = updates.filter(received_at__lt=midnight(district, until + timedelta(days=1)))
    if with_errors is not None:
        updates = updates.filter(Q(rejected__gt=0) if with_errors else Q(rejected=0))
    latest = updates.select_related(*TOLD_WITH).order_by("-number")
    return page_of(updates.count(), page, size, lambda first, last: list(latest[first:last]))


def starters(district: District) -> list[Member]:
    """The members who have started an update."""
    started = Update.objects.filter(district=district).order_by().values("member").distinct()
    return list(Member.objects.filter(pk__in=started).order_by("last_name", "first_name", "pk"))


def nights(district: District, today: date, days: int = 30) -> list[Night]:
    """So many days up to ``today``, the oldest first; a day without an update is one too."""
    first = today - timedelta(days=days - 1)
    of_day: defaultdict[date, list[Update]] = defaultdict(list)
    for update in _since(district, midnight(district, first)):
        of_day[day_of(district, update.received_at)].append(update)
    return [_night(day, of_day[day]) for day in (first + timedelta(days=n) for n in range(days))]


def last_night(district: District) -> LastNight:
    """What there is to say of a district in one sentence."""
    updates = Update.objects.filter(district=district).select_related(*TOLD_WITH)
    live = updates.filter(state__in=LIVE).order_by("number")
    newest = updates.order_by("-number").first()
    return LastNight(
        last=updates.exclude(state__in=LIVE).order_by("-ended_at", "-number").first(),
        running=next((update for update in live if update.state in WORKING), None),
        waiting=tuple(update.number for update in live if update.state not in WORKING),
        received_at=newest.received_at if newest else None,
    )


def _since(district: District, moment: datetime) -> "QuerySet[Update]":
    """What a night counts, and nothing of their headers and marks."""
    updates = Update.objects.filter(district=district, received_at__gte=moment).order_by("number")
    return updates.only("number", "state", "received_at", "rows", "updated", "added", "unchanged", "rejected")


def _night(day: date, updates: list[Update]) -> Night:
    ended = [update for update in updates if update.state not in LIVE]
    return Night(
        day=day,
        numbers=tuple(update.number for update in updates),
        changed=sum(update.changed for update in ended),
        unchanged=sum(update.unchanged for update in ended),
        rejected=sum(update.rejected for update in ended),
        not_processed=sum(update.not_processed for update in ended),
        worst=max(map(_words, updates), key=BEST_TO_WORST.index, default=NO_FILE).word,
    )


def _words(update: Update) -> StateWords:
    return RUNNING if update.state in LIVE else words_of(update)
