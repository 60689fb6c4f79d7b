"""Let Django empty the tables between tests: the triggers of the audit log refuse TRUNCATE."""

from collections.abc import Callable
from typing import Any

from django.db.backends.postgresql.operations import DatabaseOperations

TABLES = ("accounts_auditevent", "accounts_auditseal")

_NAME = "sql_flush"
_sql_flush: Callable[..., list[str]] = DatabaseOperations.sql_flush


def allow_flush() -> None:
    """Disable the triggers of these tables in each flush on PostgreSQL."""
    setattr(DatabaseOperations, _NAME, _flush_without_triggers)


def _flush_without_triggers(*arguments: Any, **options: Any) -> list[str]:
    statements = _sql_flush(*arguments, **options)
    if not statements:
        return []
    off = [f"ALTER TABLE {table} DISABLE TRIGGER USER" for table in TABLES]
    on = [f"ALTER TABLE {table} ENABLE TRIGGER USER" for table in TABLES]
    return [*off, *statements, *on]
