"""Whether the last backup is too old; the module of backups sets how to find it out."""

from collections.abc import Callable
from datetime import datetime, timedelta

from django.conf import settings

from rollbook.text import count_of

_read: Callable[[], datetime | None] | None = None


def set_reader(read: Callable[[], datetime | None]) -> None:
    """Set the function that returns when the last backup was made, or None if none was."""
    global _read
    _read = read


def find_problem(now: datetime) -> str | None:
    """Return whether the last backup is too old; None if backups are made in another way."""
    max_age = timedelta(hours=settings.BACKUP_MAX_AGE_HOURS)
    if _read is None or not max_age:
        return None
    last = _read()
    if last is None:
        return "no backup has been made with `rollbook backup`"
    if now - last <= max_age:
        return ""
    hours = count_of(int((now - last).total_seconds() // 3600), "hour")
    return f"the last backup was made {hours} ago, at {last:%Y-%m-%d %H:%M} UTC"
