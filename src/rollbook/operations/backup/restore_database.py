"""Put the database of a backup in place, and compare its rows with the manifest."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from django.db import connection, transaction

from rollbook.accounts import installation_id
from rollbook.accounts.models import Installation
from rollbook.operations import durable, postgresql_tools
from rollbook.operations.backup import facts
from rollbook.operations.backup.manifest import DATABASES, Manifest
from rollbook.operations.backup.snapshot import Snapshot
from rollbook.operations.problem import OperationProblem

MAX_SHOWN = 5


def put_in_place(manifest: Manifest, unpacked: Path) -> None:
    """Restore the database from the unpacked archive; it is in place completely or not at all."""
    source = unpacked / DATABASES[manifest.database]
    if manifest.database == "sqlite":
        target = Path(connection.settings_dict["NAME"])
        if source.exists():  # otherwise it was renamed before a kill
            durable.replace(source, target)
        return
    if installation_id.is_database_empty():
        _restore_dump(manifest, source)
    connection.close()


def _restore_dump(manifest: Manifest, dump: Path) -> None:
    """Run ``pg_restore``, which restores everything in one transaction."""
    with connection.cursor() as cursor:
        version = cursor.connection.info.server_version // 10000
    if version < manifest.server_version:
        raise OperationProblem(
            "older_server",
            f"the backup was made with PostgreSQL {manifest.server_version}, and the server is "
            f"older, version {version}; use a server of that version or later",
        )
    tool = postgresql_tools.find_tool("pg_restore", version)
    options = ["--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges"]
    parameters = postgresql_tools.connection_parameters(connection.settings_dict)
    postgresql_tools.run_tool(tool, [*options, "--no-comments", dump], parameters)


def verify(manifest: Manifest) -> None:
    """Compare the migrations and the rows of each table with the manifest.

    Raises:
        OperationProblem: They differ.
    """
    with _reading() as snapshot:
        found = facts.describe(snapshot, manifest.created_at)
    different = [name for name, table in manifest.tables.items() if found.tables.get(name) != table]
    if found.migrations != manifest.migrations or found.audit != manifest.audit:
        different.append("the audit log or the migrations")
    if different:
        raise OperationProblem(
            "restored_differs",
            f"the database differs from the backup in {', '.join(different[:MAX_SHOWN])}; "
            "something else has used it, so empty the data folder and the database, and begin "
            "again",
        )


@contextmanager
def _reading() -> Iterator[Snapshot]:
    """Yield the database as it is now, for reading only."""
    if connection.vendor == "sqlite":
        path = Path(connection.settings_dict["NAME"]).absolute()
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=rw", uri=True)) as database:
            yield Snapshot("sqlite", 0, database.cursor())
        return
    with transaction.atomic():
        connection.ensure_connection()
        session: Any = connection.connection
        cursor = session.cursor(name="rollbook_restore")
        yield Snapshot("postgresql", session.info.server_version // 10000, cursor)
        cursor.close()


def mark_unfinished() -> None:
    """Keep servers on other machines from using the database before the restore is finished."""
    with connection.cursor() as cursor:
        table = Installation._meta.db_table
        columns = connection.introspection.get_table_description(cursor, table)
    if any(column.name == "unfinished" for column in columns):
        Installation.objects.update(unfinished="restore")
