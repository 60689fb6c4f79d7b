"""Find out by writing whether the database and the data folder can be written."""

import os
import tempfile
from pathlib import Path

from django.db import connection, transaction
from django.utils import timezone

from rollbook.db.sqlite.lock_timeout import lock_timeout
from rollbook.operations.models import WriteProbe

LOCK_TIMEOUT_S = 2.0
PROBE_BYTES = 4096
MIN_FREE_BYTES = 100_000_000
"""With less space, a disk counts as full: an update writes that much in a few minutes."""
MIN_FREE_FILES = 1000


class DiskFull(Exception):
    """There is almost no space left on a disk."""


def write_to_database() -> None:
    """Commit a transaction that inserts and deletes a row.

    Raises:
        Error: The database is not available, or cannot be written.
    """
    with lock_timeout(LOCK_TIMEOUT_S), transaction.atomic():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT_S:.0f}s'")
        probe = WriteProbe.objects.create(at=timezone.now())
        WriteProbe.objects.filter(pk=probe.pk).delete()


def write_to_folder(folder: Path) -> None:
    """Write and sync a temporary file without a name, of which a kill leaves nothing.

    Raises:
        OSError: That is not possible.
    """
    with tempfile.TemporaryFile(dir=folder, buffering=0) as file:
        file.write(bytes(PROBE_BYTES))
        os.fsync(file.fileno())


def require_free_space(folder: Path) -> None:
    """Check that the disk has space, and room for more files.

    Raises:
        DiskFull: It hasn't.
        OSError: The folder can't be reached.
    """
    disk = os.statvfs(folder)
    has_room = not disk.f_files or disk.f_favail >= MIN_FREE_FILES
    if disk.f_bavail * disk.f_frsize < MIN_FREE_BYTES or not has_room:
        raise DiskFull
