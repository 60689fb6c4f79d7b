"""The periodic tasks, and the table of their intervals.

Each task does a small part of its work and returns how many items it found. After 0, the task
pauses until its next interval.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from rollbook.accounts import mail_hold, retention_guard, unused_accounts
from rollbook.accounts import mails as accounts_mails
from rollbook.accounts.audit import retention as audit_retention
from rollbook.accounts.audit import seals
from rollbook.accounts.auth import known_addresses, sessions, spraying, token_expiry
from rollbook.accounts.retention_guard import Due
from rollbook.operations.alerts import watch
from rollbook.operations.keys import rotation
from rollbook.operations.lifecycle import resumption
from rollbook.operations.retention import removal
from rollbook.students import passwords
from rollbook.updates import (
    leftovers,
    missing_files,
    password_marks,
    retention,
    runner,
    weekly_summary,
)
from rollbook.updates import mails as updates_mails
from rollbook.updates.planning import decisions
from rollbook.updates.receiving import drafts, files, receive

PASSWORDS_PER_RUN = 8  # takes about a quarter of a second
SWEEP_INTERVAL_S = 3600.0
MAIL = "mail"  # the name of the task that is also started when an update has ended


@dataclass(frozen=True, slots=True)
class PeriodicTask:
    """A task that both engines repeat while it finds work, and then after a pause.

    Attributes:
        name: The name of the task, of its jobs in the queue, and of the lock by which only one
            worker runs it at a time.
        run: Does a part of the work, and returns how many items it found.
        interval_s: The pause of a single worker in seconds. None: only many workers need the task.
        cron: When many workers start the task; a sixth field contains the seconds.
        niceness: The niceness of its thread, 0 to 19.
        limit_s: Seconds after which many workers leave the rest of the work to the next start.
        delay_s: The pause of a single worker before the first time: what takes long would slow an
            update that has waited for the worker.
    """

    name: str
    run: Callable[[], int]
    interval_s: float | None
    cron: str
    niceness: int = 0
    limit_s: float = math.inf
    delay_s: float = 0.0


def send_mails() -> int:
    """Queue the result emails of ended updates, and send all emails that are due.

    Emails of accounts, such as invitations, are sent first. After a restore nothing is sent until
    the operator releases it.
    """
    if mail_hold.held_since():
        return 0
    return accounts_mails.send_due() + updates_mails.queue_result_mails() + updates_mails.send_due()


def _is_busy() -> bool:
    """Return whether work that can wait would slow an update, or an upload on this machine."""
    return runner.has_recent_progress(timezone.now()) or files.is_receiving()


def upgrade_password_hashes() -> int:
    """Upgrade a few password hashes of students, unless an update or an upload makes progress.

    Threads share a core whatever their niceness, and each hash takes 19 MiB.
    """
    if _is_busy():
        return 0
    return passwords.upgrade_hashes(PASSWORDS_PER_RUN)


def remove_leftovers() -> int:
    """Remove students' data from some staged rows, unless an update or an upload makes progress.

    Threads share a core, and after a first load of 100,000 students this takes 3 s of it.
    """
    if _is_busy():
        return 0
    return leftovers.remove_batch()


def maintain_password_marks() -> int:
    """Destroy mark keys of districts that send no passwords, unless the clock is in doubt."""
    now = timezone.now()
    return password_marks.destroy_unused(now) if retention_guard.check_clock(now) else 0


def seal_old_tags() -> int:
    """Protect some tags of passwords from older versions, unless the clock is in doubt."""
    now = timezone.now()
    return password_marks.seal_old_tags(now) if retention_guard.check_clock(now) else 0


def seal_audit() -> int:
    """Seal the audit events that are not sealed yet."""
    return seals.seal_pending(timezone.now())


def remove_expired() -> int:
    """Remove some data whose retention has passed.

    That is files and rows of updates, audit events, the history of students, students who left, and
    former staff.
    """
    now = timezone.now()
    if not retention_guard.may_remove(now, lambda: _count_due(now)):
        return 0
    return (
        retention.remove_expired(now)
        + audit_retention.remove_expired(now)
        + removal.remove_expired(now)
    )


def _count_due(now: datetime) -> dict[str, Due]:
    return {
        **retention.count_due(now),
        "audit events": audit_retention.count_due(now),
        **removal.count_due(now),
    }


def sweep_spool() -> int:
    """Remove expired drafts, sessions and known addresses, and orphaned files of uploads.

    Nothing is removed while the clock is in doubt.
    """
    now = timezone.now()
    if not retention_guard.check_clock(now):
        return 0
    removed = drafts.remove_expired(now) + receive.remove_orphaned_files()
    return removed + sessions.sweep(now) + known_addresses.remove_expired(now)


def finish_key_rotations() -> int:
    """Encrypt some secrets again after a rotation, and remove keys that nothing needs.

    Nothing is removed while the clock is in doubt.
    """
    if not retention_guard.check_clock(timezone.now()):
        return 0
    return rotation.finish_rotations()


def queue_reminders() -> int:
    """Queue the monthly email about unused accounts, unless the clock is in doubt."""
    now = timezone.now()
    if not retention_guard.check_clock(now):
        return 0
    return unused_accounts.queue_reminders(now)


def queue_expiry_notices() -> int:
    """Queue the emails about tokens that expire soon, unless the clock is in doubt."""
    now = timezone.now()
    return token_expiry.queue_notices(now) if retention_guard.check_clock(now) else 0


def queue_weekly_summaries() -> int:
    """Queue the weekly summaries that are due, unless the clock is in doubt."""
    now = timezone.now()
    return weekly_summary.queue_due(now) if retention_guard.check_clock(now) else 0


def report_missing_files() -> int:
    """Report student files that did not arrive in time, unless the clock is in doubt."""
    now = timezone.now()
    return missing_files.check(now) if retention_guard.check_clock(now) else 0


def discard_expired_plans() -> int:
    """Discard plans that nobody has decided on in time, unless the clock is in doubt."""
    now = timezone.now()
    return decisions.discard_expired(now) if retention_guard.check_clock(now) else 0


def continue_destructions() -> int:
    """Continue to delete districts and to erase students where that was interrupted."""
    return resumption.continue_unfinished()


def notice_spraying() -> int:
    """Report districts where someone tries a few passwords for each of many accounts."""
    spraying.check(timezone.now())
    return 0


def purge_jobs() -> int:
    """Remove old failed jobs from the job queue."""
    # This needs Procrastinate, which is not imported on SQLite.
    from rollbook.jobs.many_workers import job_queue

    job_queue.delete_old_jobs()
    return 0


PERIODIC_TASKS = (
    PeriodicTask(MAIL, send_mails, 0.25, "* * * * * */15"),
    # After a first load there is work for days, so the limit is shorter than the interval.
    PeriodicTask(
        "upgrade password hashes",
        upgrade_password_hashes,
        2.0,
        "* * * * *",
        niceness=19,
        limit_s=55.0,
    ),
    PeriodicTask("remove leftovers of updates", remove_leftovers, 2.0, "* * * * * */15"),
    PeriodicTask("maintain password marks", maintain_password_marks, 3600.0, "45 * * * *"),
    PeriodicTask("seal old tags", seal_old_tags, 86400.0, "45 3 * * *", delay_s=60.0),
    PeriodicTask("seal the audit", seal_audit, 60.0, "* * * * *"),
    PeriodicTask("sweep the spool", sweep_spool, SWEEP_INTERVAL_S, "0 * * * *"),
    PeriodicTask("remove expired data", remove_expired, 3600.0, "15 * * * *"),
    PeriodicTask("find unused accounts", queue_reminders, 3600.0, "45 * * * *"),
    PeriodicTask("find expiring tokens", queue_expiry_notices, 3600.0, "50 * * * *"),
    PeriodicTask("queue weekly summaries", queue_weekly_summaries, 300.0, "*/5 * * * *"),
    PeriodicTask("finish key rotations", finish_key_rotations, 300.0, "*/5 * * * *"),
    PeriodicTask("continue deletions", continue_destructions, 60.0, "* * * * *"),
    PeriodicTask("discard expired plans", discard_expired_plans, 60.0, "* * * * *"),
    PeriodicTask("report missing files", report_missing_files, 60.0, "* * * * *"),
    PeriodicTask("notice password spraying", notice_spraying, 300.0, "*/5 * * * *"),
    PeriodicTask("check alerts", watch.check, watch.CHECK_INTERVAL_S, "* * * * *"),
    PeriodicTask("purge jobs", purge_jobs, None, "30 * * * *"),
)
