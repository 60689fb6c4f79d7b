"""Move everything from SQLite to PostgreSQL."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import transaction

from rollbook.accounts.models import Installation
from rollbook.operations import folder_lock
from rollbook.operations.moving import target
from rollbook.operations.moving.source import Source, open_source
from rollbook.operations.problem import OperationProblem
from rollbook.operations.tables import Table, current_tables
from rollbook.updates.receiving import file_chunks
from rollbook.updates.receiving import files as spool

SQLITE_NAME = "rollbook.sqlite3"
FILE_CHUNKS = "updates_filechunk"
MAX_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Moved:
    """What was moved.

    Attributes:
        rows: The number of rows of all tables.
        tables: The number of tables.
        files: The number of uploaded files.
        missing_files: The names of those that the spool folder didn't have.
    """

    rows: int
    tables: int
    files: int
    missing_files: tuple[str, ...]


def move(now: datetime, report: Callable[[str], None]) -> Moved:
    """Move everything from the SQLite database of the data folder to the settings' database.

    1. Lock the data folder and the SQLite database: nothing changes from now on.
    2. Create the tables in PostgreSQL, marked as unfinished, so that nothing uses them.
    3. Copy each table in the order of primary keys; after a kill, continue after the last one.
    4. Copy the uploaded files into the database, each in one transaction.
    5. Compare the number of rows and the digests of all tables, and of all files.
    6. Mark the SQLite database as moved, then let the new one be used.

    A kill before the last step leaves the SQLite database as it was.

    Args:
        now: The present time.
        report: Is called with the name of each table before it is copied.

    Raises:
        OperationProblem: It can't be done.
    """
    with (
        folder_lock.lock_data_folder(settings.DATA),
        open_source(settings.DATA / SQLITE_NAME) as source,
    ):
        if source.is_moved and not target.is_unfinished(source.installation_id):
            raise OperationProblem(
                "already_moved",
                "everything was moved from this SQLite database before; set DATABASE_URL and start "
                "the server. To use the SQLite database again, run `rollbook adopt` without "
                "DATABASE_URL",
            )
        target.prepare(source.installation_id)
        tables, installation = _tables()
        for table in tables:
            report(table.name)
            target.copy_rows(table, source.rows(table, target.last_key(table)))
        missing = _copy_files(source)
        report("comparing")
        rows = _compare(source, tables)
        [installation_row] = source.rows(installation, None)
        source.mark_moved(now)
        target.finish(installation_row, installation)
        return Moved(rows, len(tables), len(source.files()) - len(missing), tuple(missing))


def _tables() -> tuple[list[Table], Table]:
    """Return the tables to copy, and that of the installation, which is copied last."""
    name = Installation._meta.db_table
    every = current_tables()
    tables = [table for table in every if table.name not in (name, FILE_CHUNKS)]
    return tables, next(table for table in every if table.name == name)


def _copy_files(source: Source) -> list[str]:
    """Copy uploaded files into the database; return the names of those that are missing."""
    missing = []
    for name, digest in source.files():
        if not spool.is_intact(name, digest):
            missing.append(name)
        elif not file_chunks.exist(name):
            with transaction.atomic():
                file_chunks.write(name, spool.path_of(name))
    return missing


def _is_copied(name: str, digest: str) -> bool:
    """Return whether the database has the same bytes as the intact file in the spool folder."""
    if not spool.is_intact(name, digest):
        return False
    with spool.path_of(name).open("rb") as file:
        return file_chunks.digest(name) == hashlib.file_digest(file, "sha256").hexdigest()


def _compare(source: Source, tables: list[Table]) -> int:
    """Compare all rows and files; return the number of rows.

    Raises:
        OperationProblem: Something differs.
    """
    rows, different = 0, []
    for table in tables:
        expected = source.digest(table)
        rows += expected.rows
        if target.digest(table) != expected:
            different.append(table.name)
    for name, digest in source.files():
        if file_chunks.exist(name) and not _is_copied(name, digest):
            different.append(f"the file {name}")
    if different:
        raise OperationProblem(
            "moved_differs",
            f"PostgreSQL differs from SQLite in {', '.join(different[:MAX_SHOWN])}: the SQLite "
            "database was used between two runs of this command. Create another empty database, "
            "and run the command again with that; the SQLite database is unchanged",
        )
    return rows
