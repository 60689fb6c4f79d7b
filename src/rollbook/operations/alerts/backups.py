"""Whether the last backup is too old."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db.migrations.recorder import MigrationRecorder
from django.db.models import Min

from rollbook.operations.backup.last import last_backup
from rollbook.text import count_of


def find_problem(now: datetime) -> str | None:
    """Return whether the last backup is too old; None if backups are made in another way.

    Before there is one, the database itself is what may be too old.
    """
    max_age = timedelta(hours=settings.BACKUP_MAX_AGE_HOURS)
    if not max_age:
        return None
    last = last_backup()
    if last is None:
        created_at = MigrationRecorder.Migration.objects.aggregate(at=Min("applied"))["at"]
        if created_at and now - created_at <= max_age:
            return ""
        return "no backup has been made with `rollbook backup`"
    if now - last.at <= max_age:
        return ""
    hours = count_of(int((now - last.at).total_seconds() // 3600), "hour")
    return f"the last backup was made {hours} ago, at {last.at:%Y-%m-%d %H:%M} UTC"
