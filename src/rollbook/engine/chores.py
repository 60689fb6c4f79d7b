"""What there is to do besides the updates, in pieces; each returns how much it found, so that 0 means: later."""

from django.utils import timezone

from rollbook.roster import passwords
from rollbook.staff import forgetting, letters, sealing, sessions
from rollbook.updates import drafts, notify, receive, retention, running

A_FEW = 8  # passwords, about a quarter of a second


def mail() -> int:
    """Write the letters of ended updates, and send what is due, to members about themselves first."""
    return letters.send_due() + notify.write_letters() + notify.send_due()


def wrap_passwords() -> int:
    """Wrap a few fresh passwords of students, unless an update gets on: two threads of one core share it whatever their
    niceness, and each hash takes 19 MiB.
    """
    return 0 if running.is_moving(timezone.now()) else passwords.wrap_some(A_FEW)


def seal_audit() -> int:
    """Seal the audit events that are not yet."""
    return sealing.seal_some(timezone.now())


def remove_old() -> int:
    """Remove some of what districts keep no longer: files and details of updates, audit events."""
    now = timezone.now()
    return retention.remove_some(now) + forgetting.forget_some(now)


def sweep() -> int:
    """Remove drafts that were never sent, files of uploads that were cut off, and sessions that are over."""
    now = timezone.now()
    return drafts.remove_old(now) + receive.sweep() + sessions.sweep(now)
