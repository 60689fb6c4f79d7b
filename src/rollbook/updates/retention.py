"""Remove files, rows and problems of old updates, by the retention settings of their district.

Summaries of plans are removed after a fixed time.

The update with its counts is kept, and so is the history of every student. Nothing is removed in a
district with an unfinished update, which no other district waits for.

The removal is recorded before it happens: ``file_removed_at`` is set in the transaction that
deletes the file's chunks, and ``details_hidden_at`` in a transaction before the first row is
deleted. If the process is killed in between, an orphaned file is swept later, and the next call
removes the remaining details.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Model, Q, QuerySet

from rollbook.accounts.audit import log
from rollbook.accounts.audit.retention import ACTION, AGENT
from rollbook.accounts.retention_guard import Due
from rollbook.districts.models import District
from rollbook.text import count_of, line_list
from rollbook.updates import details, runner
from rollbook.updates.models import Draft, Manifest, UpdateJob
from rollbook.updates.receiving import file_chunks
from rollbook.updates.receiving import files as spool
from rollbook.updates.receiving.drafts import LIFETIME
from rollbook.updates.receiving.receive import SOURCE_BROWSER
from rollbook.updates.state_machine import State

FILES_PER_RUN = 50
SUMMARIES_PER_RUN = 500
SUMMARIES_KEPT = timedelta(days=400)
"""How long it is kept what an update would have done, in numbers, to rehearse limits."""

ROWS_PER_BATCH = 500

_NO_SUMMARY = dict.fromkeys(("summary", "shape", "findings"))


def remove_expired(now: datetime) -> int:
    """Remove some expired data; return the number of files and rows, 0 if nothing is left."""
    return sum(
        _remove_files(district, now)
        + _remove_details(district, now)
        + _remove_summaries(district, now)
        for district in _idle_districts()
    )


def count_due(now: datetime) -> dict[str, Due]:
    """Count the updates whose file, details or summary have expired."""
    files = details = summaries = 0
    for district in District.objects.order_by("pk"):
        files += _with_old_file(district, now).count()
        details += _with_old_details(district, now).count()
        summaries += _with_old_summary(district, now).count()
    updates = UpdateJob.objects.all()
    return {
        "summaries": Due(summaries, updates.filter(summary__isnull=False).count()),
        "files": Due(files, updates.filter(file_removed_at=None).count()),
        "details": Due(details, updates.filter(details_removed_at=None).count()),
    }


def _idle_districts() -> list[District]:
    return list(District.objects.exclude(pk__in=runner.busy_districts()).order_by("pk"))


def _remove_files(district: District, now: datetime) -> int:
    """Remove some expired files of the district; return how many."""
    old = _with_old_file(district, now)
    expired = list(old.order_by("number").values_list("pk", "number", "spool_name")[:FILES_PER_RUN])
    if not expired:
        return 0
    keys, numbers, names = zip(*expired, strict=True)
    with transaction.atomic():
        # First, so that an update that is being created for the same file is waited for and seen.
        # A digest of a small file could be used to test passwords quickly.
        UpdateJob.objects.filter(Q(pk__in=keys) | Q(split_from__in=keys)).update(
            file_removed_at=now, file_digest="", spool_digest=""
        )
        unused = set(names) - _names_in_use(names)
        file_chunks.remove(unused)
        files = count_of(len(expired), "file")
        _audit(district, "files removed", f"{files}, of {_updates(numbers)}", now)
    spool.remove(unused)
    return len(expired)


def _names_in_use(names: Sequence[str]) -> set[str]:
    """Return the files to which a draft or an update still refers.

    A file that is checked again, or sent again, belongs to several updates.
    """
    updates = UpdateJob.objects.filter(spool_name__in=names, file_removed_at=None)
    in_drafts = Draft.objects.filter(spool_name__in=names, update=None)
    return {
        *updates.values_list("spool_name", flat=True),
        *in_drafts.values_list("spool_name", flat=True),
    }


def _remove_details(district: District, now: datetime) -> int:
    """Remove some details of the district's oldest update with expired ones.

    Returns:
        The number of rows, at least 1 if there was such an update, so that the caller
        continues.
    """
    update = _with_old_details(district, now).order_by("number").first()
    if update is None:
        return 0
    if update.details_hidden_at is None:
        _hide_details(update, now)
    removed = sum(_remove_from(model, update, column) for model, column in details.TABLES)
    if not removed:
        with transaction.atomic():
            UpdateJob.objects.filter(pk=update.pk).update(details_removed_at=now)
    return removed or 1


def _remove_summaries(district: District, now: datetime) -> int:
    """Remove some expired summaries, which contain numbers only; return how many."""
    old = _with_old_summary(district, now).order_by("ended_at")
    expired = list(old.values_list("pk", flat=True)[:SUMMARIES_PER_RUN])
    return UpdateJob.objects.filter(pk__in=expired).update(**_NO_SUMMARY) if expired else 0


def _with_old_summary(district: District, now: datetime) -> "QuerySet[UpdateJob]":
    """Return ended updates with an expired summary."""
    return UpdateJob.objects.filter(
        district=district, summary__isnull=False, ended_at__lt=now - SUMMARIES_KEPT
    )


def _with_old_file(district: District, now: datetime) -> "QuerySet[UpdateJob]":
    """Return updates with an expired file.

    A file that was only looked at in the browser is kept no longer than a draft.
    """
    old = Q(ended_at__lt=now - timedelta(days=district.files_kept_days))
    only_looked_at = Q(
        state=State.DISCARDED,
        is_check=True,
        source=SOURCE_BROWSER,
        ended_at__lt=now - LIFETIME,
    )
    return UpdateJob.objects.filter(old | only_looked_at, district=district, file_removed_at=None)


def _with_old_details(district: District, now: datetime) -> "QuerySet[UpdateJob]":
    """Return updates with expired details, and those whose removal has started.

    It has also started if an update was canceled while its results were removed to refuse its file.
    """
    old = Q(ended_at__lt=now - timedelta(days=district.details_kept_days)) | Q(
        details_hidden_at__isnull=False, ended_at__isnull=False
    )
    return UpdateJob.objects.filter(old, district=district, details_removed_at=None)


def _hide_details(update: UpdateJob, now: datetime) -> None:
    rows, problems = update.stagedrow_set.count(), update.problem_set.count()
    with transaction.atomic():
        UpdateJob.objects.filter(pk=update.pk).update(details_hidden_at=now)
        Manifest.objects.filter(update=update).delete()
        kinds = f"{count_of(rows, 'row')}, {count_of(problems, 'problem')}"
        _audit(update.district, "details removed", f"{kinds}, of {_updates([update.number])}", now)


def _remove_from(model: type[Model], update: UpdateJob, column: str) -> int:
    """Delete a batch of the update's rows from this table; return how many."""
    keys = details.first_keys(QuerySet(model), update, column, ROWS_PER_BATCH)
    if keys:
        with transaction.atomic():
            details.delete(model, keys)
    return len(keys)


def _updates(numbers: Sequence[int]) -> str:
    return f"{'update' if len(numbers) == 1 else 'updates'} {line_list(numbers)}"


def _audit(district: District, result: str, detail: str, now: datetime) -> None:
    log.record(ACTION, result, district=district, agent=AGENT, detail=detail, now=now)
