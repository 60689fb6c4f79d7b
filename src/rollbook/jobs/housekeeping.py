"""The periodic tasks besides the updates, and the one table of their intervals.

Each task does one piece of its work and returns how much it found, so that 0 means: later.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

from django.utils import timezone

from rollbook.accounts import mails as accounts_mails
from rollbook.accounts.audit import retention as audit_retention
from rollbook.accounts.audit import seals
from rollbook.accounts.auth import sessions
from rollbook.students import passwords
from rollbook.updates import mails as updates_mails
from rollbook.updates import retention, runner
from rollbook.updates.receiving import drafts, receive

PASSWORDS_PER_RUN = 8  # passwords, about a quarter of a second
SWEEP_INTERVAL_S = 3600.0
MAIL = "mail"  # the task that is also started when an update has ended


@dataclass(frozen=True, slots=True)
class PeriodicTask:
    """A task that both engines repeat for as long as it finds work, and then again after a while.

    Attributes:
        name: Also its name in the job queue, and that of its lock: one worker does it at a time.
        run: Does one piece; returns how much it found.
        interval_s: Seconds until a single worker looks again. None: only many workers need it.
        cron: When many workers look again; the sixth field, where there is one, is the seconds.
        niceness: How much it gives way to other threads, 0 to 19.
        limit_s: Seconds after which many workers leave the rest to the next time.
    """

    name: str
    run: Callable[[], int]
    interval_s: float | None
    cron: str
    niceness: int = 0
    limit_s: float = math.inf


def send_mails() -> int:
    """Write the letters of ended updates, and send what is due, to members about themselves first."""
    return accounts_mails.send_due() + updates_mails.queue_result_mails() + updates_mails.send_due()


def upgrade_password_hashes() -> int:
    """Wrap a few fresh passwords of students, unless an update gets on: two threads of one core share it whatever their
    niceness, and each hash takes 19 MiB.
    """
    return (
        0
        if runner.has_recent_progress(timezone.now())
        else passwords.upgrade_some_hashes(PASSWORDS_PER_RUN)
    )


def seal_audit() -> int:
    """Seal the audit events that are not yet."""
    return seals.seal_pending(timezone.now())


def remove_expired() -> int:
    """Remove some of what districts keep no longer: files and details of updates, audit events."""
    now = timezone.now()
    return retention.remove_expired(now) + audit_retention.remove_expired(now)


def sweep_spool() -> int:
    """Remove drafts that were never sent, files of uploads that were cut off, and sessions that are over."""
    now = timezone.now()
    return drafts.remove_old(now) + receive.remove_orphaned_files() + sessions.sweep(now)


def purge_jobs() -> int:
    """Remove jobs that failed long ago from the job queue."""
    from rollbook.jobs.many_workers import (
        job_queue,
    )  # needs Procrastinate, which is not loaded on SQLite

    job_queue.delete_old()
    return 0


PERIODIC_TASKS = (
    PeriodicTask(MAIL, send_mails, 0.25, "* * * * * */15"),
    # After a first load there is work for days: the limit ends before the next minute begins.
    PeriodicTask(
        "wrap passwords", upgrade_password_hashes, 2.0, "* * * * *", niceness=19, limit_s=55.0
    ),
    PeriodicTask("seal the audit", seal_audit, 60.0, "* * * * *"),
    PeriodicTask("sweep the spool", sweep_spool, SWEEP_INTERVAL_S, "0 * * * *"),
    PeriodicTask("remove what is old", remove_expired, 3600.0, "15 * * * *"),
    PeriodicTask("purge jobs", purge_jobs, None, "30 * * * *"),
)
