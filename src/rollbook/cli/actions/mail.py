"""Runs ``rollbook mail``: shows and releases emails that are held after a restore."""

from argparse import Namespace

from django.utils import timezone

from rollbook.accounts import mail_hold
from rollbook.cli.errors import OK
from rollbook.operations import held_mail
from rollbook.operations.held_mail import Waiting
from rollbook.text import count_of


def show(arguments: Namespace) -> int:
    """Print whether emails are held, and how many are waiting."""
    since = mail_hold.held_since()
    if since:
        print(f"Emails are held since a restore at {since:%Y-%m-%d %H:%M} UTC.")
    else:
        print("Emails are being sent.")
    waiting = held_mail.waiting()
    print(f"Waiting: {_describe(waiting)}.")
    if since:
        print(
            "Run `rollbook mail release` to send them, or `rollbook mail release --drop` to send "
            "only later ones."
        )
    return OK


def release(arguments: Namespace) -> int:
    """Let emails be sent again."""
    waiting = held_mail.release(timezone.now(), drop=arguments.drop)
    if waiting is None:
        print("Emails are not held.")
    elif arguments.drop:
        print(f"Emails are sent again. Dropped: {_describe(waiting)}.")
    else:
        print(f"Emails are sent again. To be sent now: {_describe(waiting)}.")
    return OK


def _describe(waiting: Waiting) -> str:
    parts = [
        count_of(waiting.accounts, "email") + " about accounts",
        count_of(waiting.results, "email") + " with results",
        f"those of {count_of(waiting.updates, 'update')} that have ended",
    ]
    oldest = f"; the oldest is from {waiting.oldest:%Y-%m-%d %H:%M} UTC" if waiting.oldest else ""
    return ", ".join(parts) + oldest
