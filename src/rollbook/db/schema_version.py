"""Compare the schema of the database with this version of Rollbook."""

from collections.abc import Iterable
from functools import cache

from django.apps import apps
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from rollbook.db.triggers import missing_triggers
from rollbook.text import count_of


class DatabaseIsNewer(Exception):
    """A newer version of Rollbook has changed the database; the text contains a fix."""


class DatabaseIsOlder(Exception):
    """The database has not been migrated to this version; the text contains a fix."""


class SchemaCheck:
    """Compares repeatedly, with one indexed query unless migrations were recorded meanwhile."""

    def __init__(self) -> None:
        self._recorder = MigrationRecorder(connection)  # it remembers that its table exists
        self._last_id: int | None = None  # of the last migration, when the comparison succeeded

    def require_current(self) -> None:
        """Check that the database has all migrations of this version, and no others.

        Raises:
            DatabaseIsNewer: A newer version of Rollbook has changed the database.
            DatabaseIsOlder: Some migrations of this version have not been applied.
        """
        last_id = self._find_last_id()
        if last_id is None or last_id != self._last_id:
            require_current()
            self._last_id = last_id

    def _find_last_id(self) -> int | None:
        """Return the ID of the migration that was recorded last; None if there is none."""
        if not self._recorder.has_table():
            return None
        ids = self._recorder.migration_qs.order_by("-id").values_list("id", flat=True)
        last_id: int | None = ids.first()
        return last_id


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
            "applied); back it up, then run `rollbook migrate`"
        )
    if missing := missing_triggers(connection):
        raise DatabaseIsOlder(
            f"a migration of the database was interrupted ({count_of(len(missing), 'trigger')} "
            "missing); run `rollbook migrate`"
        )


def pending_migrations() -> list[str]:
    """Return the names of migrations that have not been applied, in their order."""
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [f"{migration.app_label}.{migration.name}" for migration, _ in plan]


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
