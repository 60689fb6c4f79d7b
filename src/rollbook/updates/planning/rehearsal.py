"""Rehearse limits: judge the kept summaries of past updates with limits that aren't saved yet."""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import NamedTuple

from django.db.models.functions import Coalesce

from rollbook.districts.local_dates import local_date
from rollbook.districts.models import District
from rollbook.text import count_of, format_number
from rollbook.updates.models import Expectation, UpdateJob
from rollbook.updates.planning.limit_document import LimitDocument
from rollbook.updates.planning.limits import Limits, Reason, exceeded
from rollbook.updates.planning.summary import Summary
from rollbook.updates.retention import SUMMARIES_KEPT

MAX_NIGHTS = 100
"""The updates that are listed, the newest ones; all are counted."""

MAX_REASONS = 5
_SUMMARIES_PER_QUERY = 50


@dataclass(frozen=True)
class Night:
    """A past update that would have been held.

    Attributes:
        number: The number of the update.
        at: When it was judged.
        reasons: The first limits that it would have exceeded.
        more_reasons: How many others.
        was_held: Whether it was held then.
    """

    number: int
    at: datetime
    reasons: tuple[Reason, ...]
    more_reasons: int
    was_held: bool


@dataclass
class Rehearsal:
    """What limits would have done.

    Attributes:
        judged: The updates with a summary, without dry runs.
        held: Those that would have been held.
        were_held: Those that were held then.
        nights: Those that would have been held, the newest first.
    """

    judged: int = 0
    held: int = 0
    were_held: int = 0
    nights: list[Night] = field(default_factory=list)

    def __str__(self) -> str:
        """Return the result in a sentence."""
        days = SUMMARIES_KEPT.days
        if not self.judged:
            return f"There is no update of the last {days} days to try these limits on."
        updates = count_of(self.judged, "update")
        held = format_number(self.held) if self.held else "none"
        then = f"{format_number(self.were_held)} were" if self.were_held else "none were"
        return (
            f"Of {updates} in the last {days} days, {held} would have been held with these limits; "
            f"{then} held then."
        )


def rehearse(district: District, document: LimitDocument, now: datetime) -> Rehearsal:
    """Judge the updates of the last 400 days with a document, with the profile of each day."""
    return _rehearse(district, lambda day: document.limits_on(day)[0], now)


def rehearse_limits(district: District, limits: Limits, now: datetime) -> Rehearsal:
    """Judge the updates of the last 400 days with limits, such as those of a profile."""
    return _rehearse(district, lambda _: limits, now)


def _rehearse(district: District, limits_on: Callable[[date], Limits], now: datetime) -> Rehearsal:
    result = Rehearsal()
    expectations = list(Expectation.objects.filter(district=district).select_related("used_by"))
    for update in _judged_updates(district, now):
        expected = _expected(expectations, update)
        limits = limits_on(local_date(district, update.at))
        result.judged += 1
        result.were_held += update.was_held
        if reasons := _reasons(update, limits, expected):
            result.held += 1
            if len(result.nights) < MAX_NIGHTS:
                result.nights.append(_night(update, reasons))
    return result


class _Judged(NamedTuple):
    number: int
    at: datetime
    summary: Summary
    had_reasons: bool

    @property
    def was_held(self) -> bool:
        return self.had_reasons and self.summary.changes_anything


def _judged_updates(district: District, now: datetime) -> Iterator[_Judged]:
    """Yield the updates with a summary, the newest first; a dry run is never held."""
    kept = UpdateJob.objects.filter(
        district=district,
        summary__isnull=False,
        is_check=False,
        received_at__gt=now - SUMMARIES_KEPT,
    ).annotate(judged_at=Coalesce("planned_at", "applying_at", "received_at"))
    columns = kept.order_by("-number").values_list("number", "judged_at", "summary", "reasons")
    for number, at, summary, reasons in columns.iterator(_SUMMARIES_PER_QUERY):
        yield _Judged(number, at, Summary.from_json(summary or {}), bool(reasons))


def _reasons(update: _Judged, limits: Limits, expected: Collection[str]) -> list[Reason]:
    return exceeded(update.summary, limits, expected) if update.summary.changes_anything else []


def _night(update: _Judged, reasons: list[Reason]) -> Night:
    more = max(0, len(reasons) - MAX_REASONS)
    first = tuple(reasons[:MAX_REASONS])
    return Night(update.number, update.at, first, more, update.was_held)


def _expected(expectations: Iterable[Expectation], update: _Judged) -> set[str]:
    """Return the columns that were expected to change when the update was judged."""
    active = [each for each in expectations if _was_active(each, update)]
    return {name for each in active for name in each.columns}


def _was_active(expectation: Expectation, update: _Judged) -> bool:
    end = min(expectation.until, expectation.ended_at or expectation.until)
    is_unused = expectation.used_by is None or update.number <= expectation.used_by.number
    return expectation.created_at <= update.at < end and is_unused
