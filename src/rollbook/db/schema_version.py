"""Which version of Rollbook the database is of: brought up by whoever comes first, left alone by whoever is too old."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from django.apps import apps
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from rollbook.db.triggers import missing_triggers

_LOCK = 0x524F4C4C  # any number will do that everybody takes


class DatabaseIsNewer(Exception):
    """A newer version of Rollbook has changed the database; the text says what to do."""


def migrate_if_needed() -> None:
    """Bring the database up to this version; of many who begin at once one does it. Raises NewerDatabase."""
    require_not_newer()
    if _is_older():
        with _migration_lock():
            call_command("migrate", verbosity=0, interactive=False)


def require_not_newer() -> None:
    """Raises NewerDatabase."""
    strange = sorted(".".join(key) for key in _applied() - _known())
    if strange:
        raise DatabaseIsNewer(
            f"a newer version of Rollbook has changed the database ({', '.join(strange)}); "
            "install that version here too, and start it again"
        )


def _is_older() -> bool:
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        return True
    return bool(missing_triggers(connection))


def _applied() -> set[tuple[str, str]]:
    """The migrations of our apps that the database has had."""
    ours = {app.label for app in apps.get_app_configs()}
    return {key for key in MigrationRecorder(connection).applied_migrations() if key[0] in ours}


@cache
def _known() -> set[tuple[str, str]]:
    loader = MigrationLoader(None, ignore_no_migrations=True)
    replaced = {key for migration in loader.disk_migrations.values() for key in migration.replaces}
    return {*loader.disk_migrations, *replaced}


@contextmanager
def _migration_lock() -> Iterator[None]:
    """SQLite's own lock is enough where the others are on the same machine."""
    if connection.vendor != "postgresql":
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
        try:
            yield
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [_LOCK])
