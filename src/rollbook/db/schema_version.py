"""Migrate the database to this version of Rollbook, and refuse a database of a newer version."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache

from django.apps import apps
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from rollbook.db.triggers import missing_triggers

_LOCK_ID = 0x524F4C4C  # of the advisory lock; any number that all processes use


class DatabaseIsNewer(Exception):
    """A newer version of Rollbook has changed the database; the text contains a fix."""


class DatabaseIsOlder(Exception):
    """The database has not been migrated to this version; the text contains a fix."""


def migrate_if_needed() -> None:
    """Migrate the database to this version if it's older.

    If several processes start at the same time, one migrates and the others wait.

    Raises:
        DatabaseIsNewer: A newer version of Rollbook has changed the database.
    """
    require_not_newer()
    if _is_older():
        with _migration_lock():
            call_command("migrate", verbosity=0, interactive=False)


def require_not_newer() -> None:
    """Check that this version knows all migrations that the database has had.

    Raises:
        DatabaseIsNewer: A newer version of Rollbook has changed the database.
    """
    unknown = unknown_migrations(_applied())
    if unknown:
        raise DatabaseIsNewer(
            f"a newer version of Rollbook has changed the database ({', '.join(unknown)}); "
            "install that version here too, and start it again"
        )


def unknown_migrations(applied: Iterable[tuple[str, str]]) -> list[str]:
    """Return the names of those migrations, pairs of app and name, that are of newer versions."""
    return sorted(".".join(key) for key in set(applied) - known_migrations())


def require_current() -> None:
    """Check that the database has all migrations of this version, and no others.

    Raises:
        DatabaseIsNewer: A newer version of Rollbook has changed the database.
        DatabaseIsOlder: Some migrations of this version have not been applied.
    """
    require_not_newer()
    pending = pending_migrations()
    if pending:
        raise DatabaseIsOlder(
            f"the database is from an older version of Rollbook ({len(pending)} migrations are not "
            "applied); back it up, then start the server or run `rollbook migrate`"
        )


def pending_migrations() -> list[str]:
    """Return the names of migrations that have not been applied, in their order."""
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [f"{migration.app_label}.{migration.name}" for migration, _ in plan]


def _is_older() -> bool:
    return bool(pending_migrations() or missing_triggers(connection))


def _applied() -> set[tuple[str, str]]:
    """Return the migrations of our apps that have been applied, as pairs of app and name."""
    our_labels = {app.label for app in apps.get_app_configs()}
    return {
        key for key in MigrationRecorder(connection).applied_migrations() if key[0] in our_labels
    }


@cache
def known_migrations() -> set[tuple[str, str]]:
    """Return the migrations of this version, and those that they replace."""
    migrations = MigrationLoader(None, ignore_no_migrations=True).disk_migrations
    known = set(migrations)
    for migration in migrations.values():
        known.update(migration.replaces)
    return known


@contextmanager
def _migration_lock() -> Iterator[None]:
    """Hold an advisory lock on PostgreSQL; on SQLite, the lock of its writers is enough."""
    if connection.vendor != "postgresql":
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [_LOCK_ID])
        try:
            yield
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [_LOCK_ID])
