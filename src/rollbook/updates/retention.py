"""7. When an update has ended long ago: its file, its rows and its problems are removed, as its district has settled.

The update itself stays with its counts, and so does the history of every student. A district in which an update runs or
waits is left alone, and SQLite, which has one writer, as long as any does.

Whatever is removed is told so first: a file is named no more from the transaction on in which its pieces go, and
details are shown to nobody from one on that comes before the first of them goes. So a kill between any two lines leaves
a file that will be swept, or details that the next call goes on with.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Model, Q, QuerySet

from rollbook.accounts.audit import log
from rollbook.accounts.audit.retention import ACTION, AGENT
from rollbook.districts.models import District
from rollbook.text import count_of, line_list
from rollbook.updates import runner
from rollbook.updates.models import CheckedRange, Problem, RowDependency, StagedRow, UpdateJob
from rollbook.updates.receiving import file_chunks
from rollbook.updates.receiving import files as spool

FILES_PER_RUN = 50
ROWS_PER_BATCH = 500

# Each with the rest of the index by which those of one update are found.
_DETAILS: tuple[tuple[type[Model], str], ...] = (
    (StagedRow, "line"),
    (Problem, "line"),
    (RowDependency, "blocked_by_line"),
    (CheckedRange, "end_line"),
)


def remove_expired(now: datetime) -> int:
    """Remove some of what is too old; returns how many things that were, and 0 if nothing is left to be done."""
    return sum(
        _remove_files(district, now) + _remove_details(district, now)
        for district in _idle_districts()
    )


def _idle_districts() -> list[District]:
    busy = set(runner.busy_districts())
    if busy and not settings.ON_POSTGRESQL:
        return []
    return list(District.objects.exclude(pk__in=busy).order_by("pk"))


def _remove_files(district: District, now: datetime) -> int:
    """Some files of the district that are too old; returns how many."""
    old = UpdateJob.objects.filter(
        district=district,
        file_removed_at=None,
        ended_at__lt=now - timedelta(days=district.files_kept_days),
    )
    found = list(old.order_by("number").values_list("pk", "number", "spool_name")[:FILES_PER_RUN])
    if not found:
        return 0
    keys, numbers, names = zip(*found, strict=True)
    with transaction.atomic():
        file_chunks.remove(names)
        UpdateJob.objects.filter(pk__in=keys).update(file_removed_at=now)
        files = count_of(len(found), "file")
        _audit(district, "files removed", f"{files}, of {_updates(numbers)}", now)
    spool.remove(names)
    return len(found)


def _remove_details(district: District, now: datetime) -> int:
    """Some details of the district's oldest update that has any which are too old; returns how many, at least 1."""
    update = _with_old_details(district, now).order_by("number").first()
    if update is None:
        return 0
    if update.details_hidden_at is None:
        _close(update, now)
    removed = sum(_remove_from(QuerySet(model), update, key) for model, key in _DETAILS)
    if not removed:
        with transaction.atomic():
            UpdateJob.objects.filter(pk=update.pk).update(details_removed_at=now)
    return removed or 1


def _with_old_details(district: District, now: datetime) -> "QuerySet[UpdateJob]":
    """Also those that were begun with, whatever the district settles now."""
    old = Q(ended_at__lt=now - timedelta(days=district.details_kept_days)) | Q(
        details_hidden_at__isnull=False
    )
    return UpdateJob.objects.filter(old, district=district, details_removed_at=None)


def _close(update: UpdateJob, now: datetime) -> None:
    rows, problems = update.stagedrow_set.count(), update.problem_set.count()
    with transaction.atomic():
        UpdateJob.objects.filter(pk=update.pk).update(details_hidden_at=now)
        kinds = f"{count_of(rows, 'row')}, {count_of(problems, 'problem')}"
        _audit(update.district, "details removed", f"{kinds}, of {_updates([update.number])}", now)


def _remove_from(table: "QuerySet[Any]", update: UpdateJob, key: str) -> int:
    """A few of the update's rows there; returns how many."""
    few = list(
        table.filter(update=update).order_by(key).values_list("pk", flat=True)[:ROWS_PER_BATCH]
    )
    if few:
        with transaction.atomic():
            table.filter(pk__in=few).delete()
    return len(few)


def _updates(numbers: Sequence[int]) -> str:
    return f"{'update' if len(numbers) == 1 else 'updates'} {line_list(numbers)}"


def _audit(district: District, result: str, detail: str, now: datetime) -> None:
    log.record(ACTION, result, district=district, agent=AGENT, detail=detail, now=now)
