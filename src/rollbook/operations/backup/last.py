"""When the last backup was made, for everything that watches an installation."""

from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from rollbook.accounts.models import Installation


@dataclass(frozen=True, slots=True)
class LastBackup:
    """The last backup that was finished.

    Attributes:
        at: When the database was read.
        size: The bytes of the archive.
    """

    at: datetime
    size: int


def last_backup() -> LastBackup | None:
    """Return the last backup of this installation, or None if none was made."""
    installation = Installation.objects.only("backed_up_at", "backup_bytes").first()
    if installation is None or installation.backed_up_at is None:
        return None
    return LastBackup(installation.backed_up_at, installation.backup_bytes or 0)


def record_backup(at: datetime, size: int) -> None:
    """Record that a backup was made, unless the database is of a version that doesn't know it."""
    if _has_column():
        Installation.objects.update(backed_up_at=at, backup_bytes=size)


def _has_column() -> bool:
    with connection.cursor() as cursor:
        table = Installation._meta.db_table
        columns = connection.introspection.get_table_description(cursor, table)
    return any(column.name == "backed_up_at" for column in columns)
