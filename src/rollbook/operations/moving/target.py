"""The PostgreSQL database that everything is moved to; it is the one of the settings."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from django.apps import apps
from django.core.management.color import no_style
from django.db import connection, transaction

from rollbook.accounts import installation_id
from rollbook.accounts.models import Installation
from rollbook.db import schema_version
from rollbook.db.migrating import migrate_if_needed, migration_lock
from rollbook.db.triggers import missing_triggers
from rollbook.operations.problem import OperationProblem
from rollbook.operations.tables import (
    Kind,
    Table,
    TableDigest,
    canonical,
    current_tables,
    digest_table,
)

ROWS_PER_TRANSACTION = 10_000
UNFINISHED = "move"

_FILLED_BY_MIGRATING = ("auth_permission", "django_content_type")
_JOB_QUEUE_PREFIX = "procrastinate_"
_MIGRATIONS = "django_migrations"
_DISABLED_TRIGGERS = (
    "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled <> 'O' ORDER BY 1"
)

_CONVERSIONS: dict[Kind, Callable[[Any], Any]] = {
    Kind.BOOLEAN: bool,
    Kind.DATETIME: lambda text: f"{text}+00:00",
}
"""From a value of SQLite to one that PostgreSQL reads, where they differ."""


def prepare(source_id: str) -> None:
    """Create the tables in an empty database, or continue with one of an unfinished move.

    Args:
        source_id: The ID of the installation that is moved.

    Raises:
        OperationProblem: The database is in use.
    """
    _require_only_our_tables()
    with migration_lock():
        migrate_if_needed()
    installation = Installation.objects.first()
    if installation:
        if installation.unfinished != UNFINISHED or installation.key != source_id:
            raise _not_empty("it belongs to an installation")
        return
    used = next(filter(_has_rows, _tables_to_copy()), None)
    if used:
        raise _not_empty(f"{used.name} has rows")
    with transaction.atomic(), connection.cursor() as cursor:
        for name in _FILLED_BY_MIGRATING:
            cursor.execute(f"DELETE FROM {name}")
        Installation.objects.create(pk=1, key=source_id, unfinished=UNFINISHED)


def is_unfinished(source_id: str) -> bool:
    """Return whether a move of this installation to this database was begun and not finished."""
    if installation_id.is_database_empty() or schema_version.pending_migrations():
        return False
    return Installation.objects.filter(key=source_id, unfinished=UNFINISHED).exists()


def last_key(table: Table) -> object:
    """Return the highest primary key in a table, as SQLite stores it; None if it's empty."""
    key = canonical(table.key, "postgresql")
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT {key} FROM "{table.name}" ORDER BY "{table.key.name}" DESC LIMIT 1')
        row = cursor.fetchone()
    return row[0] if row else None


def copy_rows(table: Table, rows: Iterable[Sequence[Any]]) -> int:
    """Copy rows of SQLite, some thousand in each transaction; return how many."""
    count = 0
    remaining = iter(rows)
    size = ROWS_PER_TRANSACTION if table.rows_per_fetch > 1 else 1
    while batch := list(islice(remaining, size)):
        with transaction.atomic():
            insert(table, batch)
        count += len(batch)
    return count


def insert(table: Table, rows: Iterable[Sequence[Any]]) -> None:
    """Insert rows of SQLite as they are, without triggers, in the caller's transaction."""
    names = ", ".join(f'"{column.name}"' for column in table.columns)
    with connection.cursor() as cursor:
        cursor.execute(f'ALTER TABLE "{table.name}" DISABLE TRIGGER USER')
        with cursor.copy(f'COPY "{table.name}" ({names}) FROM STDIN') as copy:
            for row in _converted(table, rows):
                copy.write_row(row)
        # The table can't be altered while checks of foreign keys are pending.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(f'ALTER TABLE "{table.name}" ENABLE TRIGGER USER')


def digest(table: Table) -> TableDigest:
    """Return the digest of a table."""
    with transaction.atomic():
        connection.ensure_connection()
        session: Any = connection.connection
        cursor = session.cursor(name="rollbook_move")
        try:
            return digest_table(cursor, "postgresql", table)
        finally:
            cursor.close()


def finish(installation_row: Sequence[Any], table: Table) -> None:
    """Set the sequences, check the triggers, and let the database be used.

    Args:
        installation_row: The row of the source with the installation's ID.
        table: Its table.
    """
    models = apps.get_models(include_auto_created=True)
    with transaction.atomic(), connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), models):
            cursor.execute(statement)
        cursor.execute(_DISABLED_TRIGGERS)
        wrong = [name for (name,) in cursor.fetchall()] + missing_triggers(connection)
        if wrong:
            raise OperationProblem(
                "triggers", f"triggers are missing or disabled: {', '.join(wrong)}; report this"
            )
        Installation.objects.all().delete()
        insert(table, [installation_row])
        Installation.objects.update(unfinished="", moved_at=None)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def _tables_to_copy() -> list[Table]:
    return [table for table in current_tables() if table.name not in _FILLED_BY_MIGRATING]


def _require_only_our_tables() -> None:
    """Check that no table is another program's.

    A migration that was interrupted may have left tables that a later one removes.
    """
    names = sorted(connection.introspection.table_names())
    ours = {table.name for table in current_tables()} | {_MIGRATIONS}
    prefixes: tuple[str, ...] = (_JOB_QUEUE_PREFIX,)
    if _MIGRATIONS in names:
        prefixes += tuple(f"{app.label}_" for app in apps.get_app_configs())
    others = [name for name in names if name not in ours and not name.startswith(prefixes)]
    if others:
        raise _not_empty(f"it has the table {others[0]}")


def _has_rows(table: Table) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT EXISTS (SELECT FROM "{table.name}")')
        return bool(cursor.fetchone()[0])


def _not_empty(problem: str) -> OperationProblem:
    return OperationProblem(
        "not_empty",
        f"the database that --to names is not empty: {problem}; create a new one and name that",
    )


def _converted(table: Table, rows: Iterable[Sequence[Any]]) -> Iterator[Sequence[Any]]:
    conversions = [
        (at, _CONVERSIONS[column.kind])
        for at, column in enumerate(table.columns)
        if column.kind in _CONVERSIONS
    ]
    for row in rows:
        values = list(row)
        for at, conversion in conversions:
            if values[at] is not None:
                values[at] = conversion(values[at])
        yield values
