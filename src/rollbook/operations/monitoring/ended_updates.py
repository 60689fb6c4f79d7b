"""The counters of updates that have ended.

All updates are counted once an hour, and every minute only those that have ended since then.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Count, F, FloatField, Func, Q, Sum

from rollbook.operations.monitoring.sample import Sample
from rollbook.updates.models import UpdateJob
from rollbook.updates.state_machine import UNFINISHED, Outcome, State

UPDATES, ROWS, SECONDS = (
    "rollbook_updates_ended_total",
    "rollbook_rows_total",
    "rollbook_update_seconds_total",
)
_ROWS = {f"counted_{outcome}": (outcome.value, f"rows_{outcome}") for outcome in Outcome}

Totals = Counter[tuple[str, ...]]
"""Name of a counter and value of its label to its value."""


class _Seconds(Func):
    """The seconds from its second argument to its first, computed by the database itself."""

    arity = 2
    output_field = FloatField()

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """Return the SQL for SQLite."""
        return self.as_sql(
            compiler,
            connection,
            template="((julianday(%(expressions)s)) * 86400.0)",
            arg_joiner=") - julianday(",
            **context,
        )

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """Return the SQL for PostgreSQL."""
        return self.as_sql(
            compiler,
            connection,
            template="(EXTRACT(EPOCH FROM (%(expressions)s))::float8)",
            arg_joiner=" - ",
            **context,
        )


@dataclass
class _EndedUpdates:
    """The totals up to the beginning of an hour."""

    hour: datetime | None = None
    totals: Totals = field(default_factory=Counter)

    def up_to(self, end: datetime) -> Totals:
        """Return the totals of updates that ended until this moment."""
        hour = end.replace(minute=0, second=0, microsecond=0)
        if self.hour != hour:
            self.totals = _count(Q(ended_at__lte=hour))
            self.hour = hour
        totals = self.totals.copy()
        # Details are kept for days, so this is true for all of them; the index needs it.
        recent = Q(ended_at__gt=hour, ended_at__lte=end, details_removed_at=None)
        totals.update(_count(recent))
        return totals


_ended = _EndedUpdates()


def at(end: datetime) -> Iterator[Sample]:
    """Yield the counters at this moment.

    Raises:
        Error: The database is not available.
    """
    totals = _ended.up_to(end)
    for state in State:
        if state not in UNFINISHED:
            yield Sample(UPDATES, totals[UPDATES, state.value], (state.value,))
    for outcome in Outcome:
        yield Sample(ROWS, totals[ROWS, outcome.value], (outcome.value,))
    yield Sample(SECONDS, round(totals[SECONDS,], 3))


def clear() -> None:
    """Forget the totals."""
    _ended.hour = None


def _count(condition: Q) -> Totals:
    """Count the updates of this condition, and their rows and seconds."""
    sums = {name: Sum(column) for name, (_, column) in _ROWS.items()}
    seconds = Sum(_Seconds(F("ended_at"), F("started_at")))
    updates = UpdateJob.objects.filter(condition).order_by().values("state")
    groups = updates.annotate(count=Count("pk"), seconds=seconds, **sums)
    totals: Totals = Counter()
    for group in groups:
        facts: dict[str, Any] = dict(group)
        totals[UPDATES, facts["state"]] += facts["count"]
        totals[SECONDS,] += facts["seconds"] or 0
        for name, (outcome, _) in _ROWS.items():
            totals[ROWS, outcome] += facts[name]
    return totals
