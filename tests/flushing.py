"""Let Django empty the tables between tests, in spite of the triggers.

On PostgreSQL, those of the audit log refuse TRUNCATE. On SQLite, tables are emptied one by one, and
deleted students are marked as touched.
"""

from collections.abc import Callable
from typing import Any

from django.db import connection

TABLES = ("accounts_auditevent", "accounts_auditseal")

_NAME = "sql_flush"
_OPERATIONS = type(connection.ops)
_sql_flush: Callable[..., list[str]] = _OPERATIONS.sql_flush


def allow_flush() -> None:
    """Make each flush leave nothing behind."""
    setattr(_OPERATIONS, _NAME, _flush)


def _flush(*arguments: Any, **options: Any) -> list[str]:
    statements = _sql_flush(*arguments, **options)
    if not statements:
        return []
    if connection.vendor == "sqlite":
        return [*statements, "DELETE FROM students_touched"]
    off = [f"ALTER TABLE {table} DISABLE TRIGGER USER" for table in TABLES]
    on = [f"ALTER TABLE {table} ENABLE TRIGGER USER" for table in TABLES]
    return [*off, *statements, *on]
