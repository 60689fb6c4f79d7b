"""The queries behind the metrics: a fixed number of them, however many districts there are.

Counters, and what needs a whole table, are counted up to the end of a minute. So they survive a
restart, and all web servers return the same values. If one returned a smaller number than another
before, Prometheus would take that for a restart and count everything again.
"""

import hashlib
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.db.models import Count, F, Min, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from rollbook import version
from rollbook.accounts import mail_hold
from rollbook.accounts.models import AccountMail, Installation
from rollbook.districts.models import District
from rollbook.mail.models import OutgoingMail
from rollbook.mail.states import given_up
from rollbook.operations.backup.last import last_backup
from rollbook.operations.monitoring import ended_updates, readiness
from rollbook.operations.monitoring.sample import Sample
from rollbook.updates.models import ResultMail, UpdateJob
from rollbook.updates.runner import worker_status
from rollbook.updates.state_machine import IN_PROGRESS, UNFINISHED, State

COMMIT_TIME = timedelta(seconds=10)
"""An end that is older has been committed."""
FAILED_MAIL_PERIOD = timedelta(days=7)
MAILS: dict[str, type[OutgoingMail]] = {"result": ResultMail, "account": AccountMail}


def of_process(failed_checks: set[str]) -> Iterator[Sample]:
    """Yield what needs no database.

    Args:
        failed_checks: The codes of the problems of ``readiness.py``.
    """
    yield Sample("rollbook_build_info", 1, (version.VERSION, version.COMMIT))
    for check in readiness.CHECKS:
        is_ok = check in readiness.succeeded(failed_checks)
        yield Sample("rollbook_check_ok", float(is_ok), (check,))
    folders: dict[str, Path] = {"data": settings.DATA, "spool": settings.SPOOL}
    for name, folder in folders.items():
        if folder.is_dir():
            disk = shutil.disk_usage(folder)
            yield Sample("rollbook_disk_free_bytes", disk.free, (name,))
            yield Sample("rollbook_disk_total_bytes", disk.total, (name,))


def of_database() -> list[Sample]:
    """Return what the database says.

    Raises:
        Error: It is not available.
    """
    now = timezone.now()
    end = (now - COMMIT_TIME).replace(second=0, microsecond=0)
    return [
        *_unfinished_updates(now),
        *_queued_mails(now),
        *_worker(now),
        *_backup(),
        *_totals.at(end),
    ]


def clear() -> None:
    """Forget the totals."""
    _totals.samples = {}
    ended_updates.clear()


def _unfinished_updates(now: datetime) -> Iterator[Sample]:
    oldest_step = Min(Coalesce("progressed_at", "started_at", "received_at"))
    groups = (
        UpdateJob.objects.filter(state__in=UNFINISHED)
        .values("state")
        .annotate(count=Count("pk"), oldest=Min("received_at"), step=oldest_step)
    )
    found = {group["state"]: group for group in groups}
    for state in UNFINISHED:
        count = found[state]["count"] if state in found else 0
        yield Sample("rollbook_updates", count, (state,))
    waiting = [found[State.RECEIVED]["oldest"]] if State.RECEIVED in found else []
    yield Sample("rollbook_updates_oldest_waiting_seconds", _age(waiting, now))
    steps = [found[state]["step"] for state in IN_PROGRESS if state in found]
    yield Sample("rollbook_updates_no_progress_seconds", _age(steps, now))


def _queued_mails(now: datetime) -> Iterator[Sample]:
    for kind, model in MAILS.items():
        queued = model._default_manager.filter(next_attempt_at__isnull=False)
        retried = Count("pk", filter=Q(attempts__gt=0))
        found = queued.aggregate(count=Count("pk"), retried=retried, oldest=Min("queued_at"))
        yield Sample("rollbook_mail_queued", found["count"], (kind,))
        yield Sample("rollbook_mail_retried", found["retried"], (kind,))
        oldest = list(filter(None, [found["oldest"]]))
        yield Sample("rollbook_mail_oldest_queued_seconds", _age(oldest, now), (kind,))


def _worker(now: datetime) -> Iterator[Sample]:
    worker = worker_status()
    yield Sample("rollbook_worker_alive", float(worker.alive))
    if worker.at:
        yield Sample("rollbook_worker_heartbeat_age_seconds", _age([worker.at], now))


def _backup() -> Iterator[Sample]:
    yield Sample("rollbook_mail_held", float(mail_hold.held_since() is not None))
    last = last_backup()
    if last:
        yield Sample("rollbook_last_backup_timestamp_seconds", last.at.timestamp())
        yield Sample("rollbook_last_backup_bytes", last.size)


def _age(times: list[datetime], now: datetime) -> float:
    """Return the seconds since the earliest time; 0 if there is none."""
    return max(0.0, (now - min(times, default=now)).total_seconds())


def _districts(end: datetime) -> Iterator[Sample]:
    """Yield when each district's last good update ended; the index finds each from the end."""
    good = UpdateJob.objects.filter(
        district=OuterRef("pk"),
        state=State.COMPLETED,
        rows_rejected__lt=F("rows"),
        ended_at__lte=end,
    )
    last = Subquery(good.order_by("-number").values("ended_at")[:1])
    sending = District.objects.filter(suspended_at__isnull=True)
    districts = sending.annotate(last=last).filter(last__isnull=False).order_by("pk")
    label_of = _labels()
    for key, slug, ended_at in districts.values_list("pk", "slug", "last"):
        yield Sample(
            "rollbook_district_last_good_update_timestamp_seconds",
            ended_at.timestamp(),
            (label_of(key, slug),),
        )


def _labels() -> Callable[[int, str], str]:
    """Return the function that returns the label of a district with this ID and short name."""
    if settings.METRICS_DISTRICT_NAMES:
        return lambda key, slug: slug
    installation = Installation.objects.first()
    secret = installation.key.encode() if installation else b""
    return lambda key, slug: _hash(key, secret)


def _hash(key: int, secret: bytes) -> str:
    return hashlib.blake2b(str(key).encode(), key=secret, digest_size=6).hexdigest()


def _failed_mails(end: datetime) -> Iterator[Sample]:
    """Count the emails that were given up; one without an error was obsolete."""
    for kind, model in MAILS.items():
        failed = given_up(model._default_manager.all(), end - FAILED_MAIL_PERIOD)
        yield Sample("rollbook_mail_failed", failed.count(), (kind,))


@dataclass
class _Totals:
    """What is counted once a minute."""

    samples: dict[datetime, list[Sample]]

    def at(self, end: datetime) -> list[Sample]:
        """Return the totals of this minute."""
        if end not in self.samples:
            self.samples = {
                end: [*ended_updates.at(end), *_districts(end), *_failed_mails(end)],
            }
        return self.samples[end]


_totals = _Totals({})
