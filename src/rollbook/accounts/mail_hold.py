"""Emails are held after a restore until the operator releases them.

The backup contains emails that were waiting when it was made. Most of them have been sent since,
and links in them may not work with the restored database.
"""

from datetime import datetime

from rollbook.accounts.models import Installation


def held_since() -> datetime | None:
    """Return since when emails are held, or None if they are sent."""
    installation = Installation.objects.only("mail_held_since").first()
    return installation.mail_held_since if installation else None


def release() -> bool:
    """Let emails be sent again; return whether they were held."""
    return bool(Installation.objects.exclude(mail_held_since=None).update(mail_held_since=None))
