"""How long SQLite waits for locks of others, where that is not what the settings say."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection


@contextmanager
def lock_timeout(seconds: float) -> Iterator[None]:
    """Limit how long this connection waits for a lock; on PostgreSQL, do nothing."""
    if connection.vendor != "sqlite":
        yield
        return
    _set_busy_timeout(seconds)
    try:
        yield
    finally:
        _set_busy_timeout(connection.settings_dict["OPTIONS"].get("timeout", 5))


def _set_busy_timeout(seconds: float) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA busy_timeout = {seconds * 1000:.0f}")
