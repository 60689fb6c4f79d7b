"""A consistent snapshot of the database: copied to a file, and readable while that is done."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import connection

from rollbook.operations import postgresql_tools
from rollbook.operations.tables import Cursor

PAGES_PER_STEP = 4096
"""Pages of SQLite that are copied at a time; between two steps Ctrl-C ends the copy."""

ROWS_PER_FETCH = 500


@dataclass(frozen=True)
class Snapshot:
    """The database at one moment.

    Attributes:
        vendor: ``sqlite`` or ``postgresql``.
        server_version: The major version of PostgreSQL; 0 on SQLite.
        cursor: Reads from the snapshot without fetching all rows at once.
    """

    vendor: str
    server_version: int
    cursor: Cursor

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Return all rows of a query."""
        self.cursor.execute(query)
        found: list[tuple[Any, ...]] = []
        while rows := self.cursor.fetchmany(ROWS_PER_FETCH):
            found += map(tuple, rows)
        return found


@contextmanager
def take_snapshot(file: Path, *, compressed: bool) -> Iterator[Snapshot]:
    """Copy the database to a file while it is in use, and yield the same state of it.

    Args:
        file: The file to write.
        compressed: Whether ``pg_dump`` compresses the file.
    """
    if connection.vendor == "sqlite":
        with _sqlite_snapshot(Path(connection.settings_dict["NAME"]), file) as snapshot:
            yield snapshot
    else:
        with _postgresql_snapshot(file, compressed=compressed) as snapshot:
            yield snapshot


@contextmanager
def _sqlite_snapshot(database: Path, file: Path) -> Iterator[Snapshot]:
    copy_sqlite(database, file)
    with closing(sqlite3.connect(file, isolation_level=None)) as copy:
        yield Snapshot("sqlite", 0, copy.cursor())


def copy_sqlite(database: Path, file: Path) -> None:
    """Copy a SQLite database that may be in use; writers don't wait for it.

    In WAL mode a read transaction sees one state however long it lasts, so the copy never has to
    begin again.
    """
    address = f"{database.absolute().as_uri()}?mode=rw"
    with (
        closing(sqlite3.connect(address, uri=True, isolation_level=None)) as source,
        closing(sqlite3.connect(file, isolation_level=None)) as copy,
    ):
        source.execute("BEGIN")
        source.execute("SELECT count(*) FROM sqlite_master").fetchone()
        source.backup(copy, pages=PAGES_PER_STEP)
        source.execute("COMMIT")
        # Without WAL, the copy is one file.
        copy.execute("PRAGMA journal_mode=DELETE")


@contextmanager
def _postgresql_snapshot(file: Path, *, compressed: bool) -> Iterator[Snapshot]:
    """Export the snapshot of a transaction, with which ``pg_dump`` reads the same state."""
    import psycopg

    parameters = postgresql_tools.connection_parameters(connection.settings_dict)
    with psycopg.connect(**parameters) as session:
        version = session.info.server_version // 10000
        tool = postgresql_tools.find_tool("pg_dump", version)
        session.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        session.read_only = True
        session.execute("SET idle_in_transaction_session_timeout = 0")
        session.execute("SET statement_timeout = 0")
        [name] = session.execute("SELECT pg_export_snapshot()").fetchone() or [""]
        options = ["--format=custom", f"--compress={1 if compressed else 0}", "--no-owner"]
        options += ["--no-privileges", f"--snapshot={name}", f"--file={file}"]
        postgresql_tools.run_tool(tool, options, parameters)
        cursor: Any = session.cursor(name="rollbook_backup")
        yield Snapshot("postgresql", version, cursor)
        cursor.close()
