"""Destroy a district or one student in small steps that survive a kill, and certify it.

1. A ``Destruction`` is created, in the transaction that closes the data for others.
2. Each call of ``advance`` is one transaction: it removes a batch and adds it to the counts, so the
   counts are exact wherever the process is killed. What is left is found by looking, not stored.
3. When nothing is left, the last transaction signs the certificate and records an audit event.

The command runs all steps. If it is interrupted, the worker continues within a minute, and so does
the same command. Several processes may work on one destruction: each transaction locks it.
"""

import getpass
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import TypeAlias

from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from rollbook.accounts.audit import log
from rollbook.db.sqlite.lock_timeout import lock_timeout
from rollbook.db.sqlite.turnstile import yield_to_other_writers
from rollbook.operations.lifecycle import certificates
from rollbook.operations.models import Destruction

MAX_CONFLICTS = 10
"""How often in a row a batch is tried again because something was added at the same time."""

EMPTYING_ATTEMPTS = 60
EMPTYING_PAUSE_S = 0.4
EMPTYING_LOCK_TIMEOUT_S = 0.1
"""How long emptying the write-ahead log waits for readers, while all writers wait for it."""

Removed: TypeAlias = "Counter[str]"
"""What a batch has removed: kind to count."""

Remove: TypeAlias = Callable[[Destruction], Removed]
"""Removes the next batch, in the caller's transaction; returns nothing if nothing is left."""


def create(destruction: Destruction) -> Destruction:
    """Store a new destruction, in the caller's transaction, and record that it has begun."""
    destruction.requested_by = _account()
    destruction.save(force_insert=True)
    _record(destruction, "started", f"{_subject(destruction)}, {destruction}")
    return destruction


def run(destruction: Destruction, remove: Remove, watch: Callable[[int], None]) -> Destruction:
    """Remove everything; return the finished destruction.

    Args:
        destruction: The destruction.
        remove: Removes a batch.
        watch: Called after each batch with the number of rows and files removed so far.
    """
    while not advance(destruction.pk, remove):
        destruction.refresh_from_db()
        watch(sum(destruction.counts.values()))
    destruction.refresh_from_db()
    return destruction


def advance(key: int, remove: Remove) -> bool:
    """Remove the next batch, or finish if nothing is left; return whether it is finished.

    If a request that began before adds a row to what is being removed, the database refuses the
    transaction; then it is tried again, and finds that row.
    """
    for conflict in range(1, MAX_CONFLICTS + 1):
        try:
            is_finished = _advance(key, remove)
            if is_finished:
                empty_write_ahead_log()
            return is_finished
        except IntegrityError:
            if conflict == MAX_CONFLICTS:
                raise
    return False


def unfinished() -> "QuerySet[Destruction]":
    """Return the destructions that haven't finished, oldest first."""
    return Destruction.objects.filter(finished_at=None).order_by("pk")


def save_certificate(destruction: Destruction, folder: Path | None = None) -> Iterator[Path]:
    """Write the certificate as JSON and as text; yield the paths.

    Args:
        destruction: A finished destruction.
        folder: Where to; None: ``certificates`` in the data folder.

    Raises:
        OSError: The files can't be written; the certificate can be saved again.
    """
    folder = folder or settings.DATA / "certificates"
    yield from certificates.write_files(destruction, folder)


def _advance(key: int, remove: Remove) -> bool:
    overwrite_deleted()
    yield_to_other_writers()
    with transaction.atomic():
        destruction = Destruction.objects.select_for_update().get(pk=key)
        if destruction.finished_at:
            return True
        removed = remove(destruction)
        if removed:
            destruction.counts = dict(Counter(destruction.counts) + removed)
            destruction.save(update_fields=["counts"])
            return False
        _finish(destruction, timezone.now())
        return True


def overwrite_deleted() -> None:
    """Make SQLite overwrite what this connection deletes with zeros."""
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA secure_delete = ON")


def empty_write_ahead_log() -> None:
    """Empty SQLite's write-ahead log, which has the pages as they were before.

    That is not possible while someone reads, such as a backup. To wait for them would keep all
    others from writing, so it is tried again instead, and given up after half a minute.
    """
    if connection.vendor != "sqlite" or connection.in_atomic_block:
        return
    for _ in range(EMPTYING_ATTEMPTS):
        with lock_timeout(EMPTYING_LOCK_TIMEOUT_S), connection.cursor() as cursor:
            cursor.execute("PRAGMA wal_checkpoint")  # most of the work, which nobody waits for
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            (is_busy, _, _) = cursor.fetchone()
        if not is_busy:
            break
        time.sleep(EMPTYING_PAUSE_S)


def _finish(destruction: Destruction, now: datetime) -> None:
    destruction.finished_at = now
    destruction.certificate = certificates.issue(destruction)
    destruction.save(update_fields=["finished_at", "certificate"])
    _record(destruction, "done", f"{_subject(destruction)}, {destruction}")


def _record(destruction: Destruction, result: str, detail: str) -> None:
    """Record it without a district, so that the event outlives the district."""
    action = "district delete" if destruction.student_key is None else "student erase"
    agent = f"rollbook command, {destruction.requested_by}"
    log.record(action, result, agent=agent, detail=detail)


def _subject(destruction: Destruction) -> str:
    if destruction.student_key is None:
        return destruction.district_slug
    return f"student with key {destruction.student_key} of {destruction.district_slug}"


def _account() -> str:
    try:
        return getpass.getuser()[:64]
    except (KeyError, OSError):  # the account has no name
        return "an account without a name"
