"""Runs ``rollbook retention``: shows and resumes the removal of expired data."""

from argparse import Namespace

from django.utils import timezone

from rollbook.accounts import retention_guard
from rollbook.cli.errors import FAILED, OK


def show(arguments: Namespace) -> int:
    """Print whether retention is stopped, and why."""
    guard = retention_guard.stopped()
    if guard is None:
        print("Retention is running.")
        return OK
    print(f"Retention is stopped since {guard.stopped_at:%Y-%m-%d %H:%M} UTC: {guard.reason}.")
    print("Check the clocks of all machines, then run `rollbook retention resume`.")
    return FAILED


def resume(arguments: Namespace) -> int:
    """Resume retention, trusting the clock of this machine."""
    now = timezone.now()
    if not retention_guard.resume(now):
        print("Retention is not stopped.")
        return OK
    print(f"Retention resumed at {now:%Y-%m-%d %H:%M} UTC. Nothing is removed for an hour.")
    return OK
