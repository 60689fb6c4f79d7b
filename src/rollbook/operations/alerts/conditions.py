"""The table of conditions that the operator is alerted to.

A new one is a function that finds it, and an entry in CONDITIONS. What is found names no person:
it is sent by email.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.db.models import QuerySet

from rollbook.accounts import key_fingerprints, key_ring, retention_guard
from rollbook.accounts.audit import head
from rollbook.accounts.auth import spraying
from rollbook.accounts.models import AccountMail
from rollbook.mail.models import OutgoingMail
from rollbook.operations.alerts import backups, certificate
from rollbook.operations.alerts.models import AlertMail
from rollbook.text import count_of, join_words
from rollbook.updates.models import ResultMail, UpdateJob
from rollbook.updates.runner import worker_status
from rollbook.updates.state_machine import State

FREE_SPACE_FACTOR = 2
"""Times the largest upload: one file that is being received, and room for the database."""

MIN_FREE_FILES = 1000
FAILED_WITHIN = timedelta(hours=24)
SPRAYED_WITHIN = timedelta(hours=24)
STUCK_AFTER = timedelta(hours=1)

Find = Callable[[datetime], str | None]


@dataclass(frozen=True, slots=True)
class Condition:
    """Something that the operator has to know.

    Attributes:
        code: Identifies it for people and scripts.
        title: What is wrong, in a few words; the subject of the email.
        fix: How to fix it, as a sentence.
        find: Given the present time, returns what is wrong now; empty if nothing is, None if this
            process can't know.
        delay: How long it has to last before the operator is notified.
    """

    code: str
    title: str
    fix: str
    find: Find
    delay: timedelta = timedelta(0)


def worker_gone(now: datetime) -> str:
    """Find out whether no worker is running."""
    status = worker_status()
    if status.alive:
        return ""
    return f"the last one was seen at {_time(status.at)}" if status.at else "none has ever run"


def disk_nearly_full(now: datetime) -> str:
    """Find a disk of this machine without space, or one that is read-only."""
    for folder in (settings.DATA, settings.SPOOL):
        if folder.exists() and (problem := _disk_problem(folder)):
            return problem
    return ""


def _disk_problem(folder: Path) -> str:
    disk = os.statvfs(folder)
    free = disk.f_bavail * disk.f_frsize
    if disk.f_flag & os.ST_RDONLY:
        return f"the file system of {folder} is read-only"
    if free < FREE_SPACE_FACTOR * settings.MAX_UPLOAD_BYTES:
        return f"{free / 1e9:,.1f} GB are free on the disk of {folder}"
    if disk.f_files and disk.f_favail < MIN_FREE_FILES:
        return f"the disk of {folder} has room for only {disk.f_favail:,} more files"
    return ""


def update_failed(now: datetime) -> str:
    """Find updates that failed because of a problem in Rollbook."""
    failed = UpdateJob.objects.filter(state=State.FAILED, ended_at__gt=now - FAILED_WITHIN)
    latest = failed.select_related("district").order_by("-ended_at").first()
    if latest is None:
        return ""
    return (
        f"{count_of(failed.count(), 'update')} failed in the last 24 hours, the latest was "
        f"update {latest.number} of {latest.district.slug}, reference {latest.error_reference}"
    )


def emails_stuck(now: datetime) -> str:
    """Find emails that the mail server has not accepted for an hour."""
    outboxes: tuple[QuerySet[ResultMail] | QuerySet[AccountMail] | QuerySet[AlertMail], ...] = (
        ResultMail.objects.all(),
        AccountMail.objects.all(),
        AlertMail.objects.all(),
    )
    stuck: list[OutgoingMail] = []
    for outbox in outboxes:
        stuck += outbox.filter(next_attempt_at__isnull=False, queued_at__lt=now - STUCK_AFTER)
    if not stuck:
        return ""
    oldest = min(stuck, key=lambda mail: mail.queued_at)
    reason = f" ({oldest.last_error})" if oldest.last_error else ""
    return (
        f"{count_of(len(stuck), 'email')} waiting for more than an hour, "
        f"the oldest since {_time(oldest.queued_at)}{reason}"
    )


def password_spraying(now: datetime) -> str:
    """Find districts where someone has tried passwords of many accounts from many networks."""
    reports = spraying.reported_since(now - SPRAYED_WITHIN).select_related("district")
    slugs = sorted({report.district.slug for report in reports if report.district})
    return f"in {join_words(slugs)}" if slugs else ""


def key_missing(now: datetime) -> str:
    """Find keys that this machine doesn't have, although the database needs them."""
    problems = key_fingerprints.find_problems(settings.KEYS, key_ring.load_versions())
    missing = [problem.what for problem in problems if not problem.is_staged]
    return join_words(missing) if missing else ""


def clock_in_doubt(now: datetime) -> str:
    """Find out whether retention was stopped because of a clock."""
    guard = retention_guard.stopped()
    return guard.reason if guard else ""


def audit_log_shortened(now: datetime) -> str:
    """Compare the audit log with the newest seal that this machine has kept."""
    return head.find_mismatch_with_file()


def _time(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"


CONDITIONS = (
    Condition(
        "worker_gone",
        "No worker is running",
        "Start `rollbook serve`, or on many machines `rollbook worker`, and see its log.",
        worker_gone,
        delay=timedelta(minutes=5),  # a restart takes less
    ),
    Condition(
        "disk_nearly_full",
        "The disk is nearly full",
        "Free up space, or use a larger disk. `rollbook doctor` checks it again.",
        disk_nearly_full,
    ),
    Condition(
        "update_failed",
        "An update failed",
        "Search the worker's log for the reference, report it, and ask the district to upload the "
        "file again.",
        update_failed,
    ),
    Condition(
        "emails_stuck",
        "Emails are not being sent",
        "Run `rollbook doctor`, which connects to the mail server and says what is wrong.",
        emails_stuck,
    ),
    Condition(
        "certificate_expiring",
        "The certificate expires soon",
        "Renew it, then send SIGHUP to `rollbook serve` or `rollbook web` to load it.",
        certificate.find_problem,
    ),
    Condition(
        "backup_too_old",
        "The last backup is too old",
        "Run `rollbook backup`, and check why it doesn't run every night. If you back up in "
        "another way, set ROLLBOOK_BACKUP_MAX_AGE_HOURS=0.",
        backups.find_problem,
    ),
    Condition(
        "password_spraying",
        "Someone is guessing passwords of many staff members",
        "See the audit log of the district, and block the networks in your firewall. The district "
        "managers got an email.",
        password_spraying,
    ),
    Condition(
        "key_missing",
        "A machine doesn't have a secret key",
        "Run `rollbook doctor` on each machine, and copy the key from a machine that has it.",
        key_missing,
    ),
    Condition(
        "clock_in_doubt",
        "A clock is in doubt, so expired data is not being removed",
        "Check the clocks of all machines, then run `rollbook retention resume`.",
        clock_in_doubt,
    ),
    Condition(
        "audit_log_shortened",
        "The audit log lacks its newest seals, or was replaced",
        "If you have restored a backup, run `rollbook adopt` on this machine, which records it in "
        "the audit log. Otherwise someone has changed the database: keep a copy of it, and compare "
        "it with a backup.",
        audit_log_shortened,
    ),
)
BY_CODE = {condition.code: condition for condition in CONDITIONS}
