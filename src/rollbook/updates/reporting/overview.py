"""All districts with their last updates and problems, with a fixed number of queries."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, OuterRef, Subquery

from rollbook.districts.models import District
from rollbook.text import count_of
from rollbook.updates.models import UpdateJob
from rollbook.updates.state_machine import IN_PROGRESS, State

MISSING_AFTER = timedelta(hours=36)
"""Age of the last good file after which the nightly one is missing."""

STALLED_AFTER = timedelta(minutes=10)
"""Time without progress after which an update in progress is stalled."""


@dataclass(frozen=True)
class DistrictOverview:
    """A district and its updates.

    Attributes:
        district: The district.
        last: Its last update; None if there was none.
        good_at: When the last file arrived that was processed to its end.
        waiting: Number of updates in the queue.
        problems: What an operator should look at.
    """

    district: District
    last: UpdateJob | None
    good_at: datetime | None
    waiting: int
    problems: tuple[str, ...]


def load_overview(now: datetime) -> list[DistrictOverview]:
    """Return all districts, sorted by their short names; this takes four queries."""
    newest = UpdateJob.objects.filter(district=OuterRef("pk")).order_by("-number")
    good = newest.filter(state=State.COMPLETED.value)
    districts = District.objects.order_by("slug")
    last_keys = districts.order_by().values_list(Subquery(newest.values("pk")[:1]))
    last = {update.district_id: update for update in UpdateJob.objects.filter(pk__in=last_keys)}
    good_at = dict(districts.values_list("pk", Subquery(good.values("received_at")[:1])))
    received = UpdateJob.objects.filter(state=State.RECEIVED.value).order_by()
    waiting = dict(received.values_list("district").annotate(count=Count("pk")))
    return [
        DistrictOverview(
            district,
            last.get(district.pk),
            good_at.get(district.pk),
            waiting.get(district.pk, 0),
            tuple(_problems(district, last.get(district.pk), good_at.get(district.pk), now)),
        )
        for district in districts
    ]


def _problems(
    district: District, last: UpdateJob | None, good_at: datetime | None, now: datetime
) -> Iterator[str]:
    if district.is_suspended:
        return  # it can't send files
    if last is None:
        yield "no file yet"
        return
    if last.state == State.FAILED:
        yield f"update {last.number} failed, reference {last.error_reference}"
    elif last.state == State.REFUSED:
        yield f"file of update {last.number} not accepted"
    elif last.state == State.COMPLETED and last.rows and last.rows_rejected == last.rows:
        yield f"update {last.number}: every row rejected"
    elif last.rows_rejected:
        yield f"update {last.number}: {count_of(last.rows_rejected, 'row')} rejected"
    moved = last.progressed_at or last.started_at or last.received_at
    if last.state in IN_PROGRESS and now - moved > STALLED_AFTER:
        yield f"update {last.number} has made no progress for {age_of(now - moved)}"
    if good_at is None:
        yield "no good file yet"
    elif now - good_at > MISSING_AFTER:
        yield f"no good file for {age_of(now - good_at)}"


def age_of(span: timedelta) -> str:
    """Return a span of time in minutes, hours or days."""
    hours = int(span.total_seconds() // 3600)
    if hours < 1:
        return count_of(int(span.total_seconds() // 60), "minute")
    return count_of(hours, "hour") if hours < 48 else count_of(hours // 24, "day")
