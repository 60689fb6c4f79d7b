"""List the updates of a district: filtered, summarized by day, and the latest ones."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TypedDict, Unpack

from django.db.models import Q, QuerySet

from rollbook.accounts.models import Member
from rollbook.districts.local_dates import local_date, local_midnight
from rollbook.districts.models import District
from rollbook.pagination import Page, get_page
from rollbook.updates.models import UpdateJob
from rollbook.updates.receiving.receive import SOURCE_BROWSER
from rollbook.updates.reporting.report import RELATED
from rollbook.updates.reporting.state_words import (
    BEST_TO_WORST,
    CHECKED,
    HELD,
    NO_FILE,
    RUNNING,
    StateWords,
    words_of,
)
from rollbook.updates.state_machine import IN_PROGRESS, UNFINISHED, State

OPERATOR = 0
"""Used instead of a member's key for updates that the operator of the server started."""

_SUMMARY_FIELDS = (
    "number",
    "state",
    "is_check",
    "decided_at",
    "received_at",
    "rows",
    "rows_updated",
    "rows_added",
    "rows_unchanged",
    "rows_rejected",
    "rows_left_out",
)


class UpdateFilters(TypedDict, total=False):
    """What to list; a filter that is absent or None selects every update.

    Attributes:
        state: The state.
        who: The key of the member who started the update, or OPERATOR.
        since: The first local day on which the update was received.
        until: The last local day on which the update was received.
        with_errors: True for updates with rejected rows, False for updates without.
    """

    state: State | None
    who: int | None
    since: date | None
    until: date | None
    with_errors: bool | None


@dataclass(frozen=True)
class DailySummary:
    """The updates that were received on one local day of the district.

    The counts are rows of the updates that have ended. ``worst`` is the word for the worst state.
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
    """The most recent activity in a district.

    Attributes:
        last: The update of the scheduled feed that ended last: not sent in the browser. Without
            any, that of all that ended last. Dry runs that were discarded don't count.
        by_hand: The update that ended last of those sent in the browser and of those that undo
            another one, if it isn't ``last``.
        running: The update in progress.
        waiting: The numbers of the queued updates, and of approved plans.
        received_at: When the newest file of the same feed as ``last`` was received.
        plans: The updates whose plan waits for a decision, held ones first.
    """

    last: UpdateJob | None
    running: UpdateJob | None
    waiting: tuple[int, ...]
    received_at: datetime | None
    plans: tuple[UpdateJob, ...] = ()
    by_hand: UpdateJob | None = None

    @property
    def has_feed(self) -> bool:
        """Whether any file has been sent by a script."""
        return self.last is not None and self.last.source != SOURCE_BROWSER


def list_updates(
    district: District, *, page: int = 1, size: int = 50, **filters: Unpack[UpdateFilters]
) -> Page[UpdateJob]:
    """Return one page of the district's updates that match the filters, newest first."""
    updates = _filtered(district, filters)
    newest_first = updates.select_related(*RELATED).order_by("-number")
    return get_page(updates.count(), page, size, lambda first, last: list(newest_first[first:last]))


def starters(district: District) -> list[Member]:
    """Return the members who have started an update, by name."""
    started = UpdateJob.objects.filter(district=district).order_by().values("member").distinct()
    return list(Member.objects.filter(pk__in=started).order_by("last_name", "first_name", "pk"))


def daily_summaries(district: District, today: date, days: int = 30) -> list[DailySummary]:
    """Return a summary of each of the last ``days`` days up to ``today``, oldest first.

    Days without updates are included.
    """
    first = today - timedelta(days=days - 1)
    updates_by_day: defaultdict[date, list[UpdateJob]] = defaultdict(list)
    for update in _received_since(district, local_midnight(district, first)):
        updates_by_day[local_date(district, update.received_at)].append(update)
    all_days = [first + timedelta(days=offset) for offset in range(days)]
    return [_daily_summary(day, updates_by_day[day]) for day in all_days]


def latest_updates(district: District) -> LatestUpdates:
    """Return what the headline of a district's home page needs."""
    updates = UpdateJob.objects.filter(district=district).select_related(*RELATED)
    unfinished = list(updates.filter(state__in=UNFINISHED).order_by("number"))
    running = [update for update in unfinished if update.state in IN_PROGRESS]
    plans = [update for update in unfinished if update.needs_decision]
    waiting = [
        update.number
        for update in unfinished
        if update.state not in IN_PROGRESS and update not in plans
    ]
    ended = updates.exclude(state__in=UNFINISHED).exclude(state=State.DISCARDED, is_check=True)
    newest_first = ended.order_by("-ended_at", "-number")
    is_by_hand = Q(source=SOURCE_BROWSER) | Q(undoes__isnull=False)
    scheduled = newest_first.exclude(is_by_hand).first()
    by_hand = newest_first.filter(is_by_hand).first()
    feed = updates.exclude(is_by_hand) if scheduled else updates
    newest = feed.order_by("-number").values_list("received_at", flat=True).first()
    return LatestUpdates(
        last=scheduled or by_hand,
        running=next(iter(running), None),
        waiting=tuple(waiting),
        received_at=newest,
        plans=tuple(sorted(plans, key=lambda update: update.state != State.HELD)),
        by_hand=by_hand if scheduled else None,
    )


def _filtered(district: District, filters: UpdateFilters) -> "QuerySet[UpdateJob]":
    updates = UpdateJob.objects.filter(district=district)
    if state := filters.get("state"):
        updates = updates.filter(state=state)
    if (who := filters.get("who")) is not None:
        updates = updates.filter(member=who or None)  # updates of the operator have no member
    if since := filters.get("since"):
        updates = updates.filter(received_at__gte=local_midnight(district, since))
    if until := filters.get("until"):
        next_midnight = local_midnight(district, until + timedelta(days=1))
        updates = updates.filter(received_at__lt=next_midnight)
    with_errors = filters.get("with_errors")
    if with_errors is True:
        updates = updates.filter(rows_rejected__gt=0)
    if with_errors is False:
        updates = updates.filter(rows_rejected=0)
    return updates


def _received_since(district: District, moment: datetime) -> "QuerySet[UpdateJob]":
    """Return the updates with only the fields of a summary; headers and checkpoints are large."""
    updates = UpdateJob.objects.filter(district=district, received_at__gte=moment)
    return updates.order_by("number").only(*_SUMMARY_FIELDS)


def _daily_summary(day: date, updates: list[UpdateJob]) -> DailySummary:
    ended = [update for update in updates if update.state not in UNFINISHED]
    worst = max(map(_words, updates), key=BEST_TO_WORST.index, default=NO_FILE)
    numbers = tuple(update.number for update in updates)
    return DailySummary(
        day=day,
        numbers=numbers,
        changed=_total(ended, "changed"),
        unchanged=_total(ended, "rows_unchanged"),
        rejected=_total(ended, "rows_rejected"),
        not_processed=_total(ended, "not_processed"),
        worst=worst.word,
    )


def _total(updates: list[UpdateJob], count: str) -> int:
    return sum(getattr(update, count) for update in updates)


def _words(update: UpdateJob) -> StateWords:
    """Return what an update means for its day; a dry run that isn't applied says nothing of it."""
    if update.is_check and update.state in {State.CHECKED, State.DISCARDED}:
        return CHECKED
    if update.needs_decision:
        return HELD
    return RUNNING if update.state in UNFINISHED else words_of(update)
