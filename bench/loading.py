"""The baseline of a first load: Rollbook's rows, copied in bulk into empty copies of its tables.

The tables are those of students and districts, with their indexes. There is one transaction, as
durable as Rollbook's. SQLite: executemany from the rows; PostgreSQL: COPY from files.
"""

import sqlite3
import time
from contextlib import closing
from pathlib import Path

import psycopg
from psycopg import sql

from bench.databases import Database

_BLOCK = 1 << 20


def load_seconds(database: Database, source: str, folder: Path) -> float:
    """Return the seconds for the rows of ``source``; ``folder`` is for temporary files."""
    return {"sqlite": _sqlite, "postgres": _postgres}[database.name](database, source, folder)


def _sqlite(database: Database, source: str, folder: Path) -> float:
    copy = folder / "load.sqlite3"
    for path in folder.glob("load.sqlite3*"):
        path.unlink()
    with (
        closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True)) as theirs,
        closing(sqlite3.connect(copy)) as ours,
    ):
        made = theirs.execute(
            "SELECT type, name, sql FROM sqlite_master "
            "WHERE (tbl_name LIKE 'students%' OR tbl_name LIKE 'districts%') "
            "AND type IN ('table', 'index') "
            "AND sql IS NOT NULL ORDER BY type DESC"
        ).fetchall()
        ours.execute("PRAGMA journal_mode=WAL")
        ours.execute("PRAGMA synchronous=FULL")
        for _, _, statement in made:
            ours.execute(statement)
        ours.commit()
        database.settle(source)
        began = time.perf_counter()
        for table in (name for kind, name, _ in made if kind == "table"):
            rows = theirs.execute(f"SELECT * FROM {table}")
            marks = ", ".join("?" * len(rows.description))
            ours.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)
        ours.commit()
        return time.perf_counter() - began


def _postgres(database: Database, source: str, folder: Path) -> float:
    with psycopg.connect(source, autocommit=True) as connection:
        named = (
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public' "
            "AND (tablename LIKE 'students%' OR tablename LIKE 'districts%')"
        )
        tables = [str(name) for (name,) in connection.execute(named)]
        connection.execute("DROP SCHEMA IF EXISTS floor CASCADE")
        connection.execute("CREATE SCHEMA floor")
        for table in tables:
            _export(connection, table, folder / f"{table}.copy")
            empty = sql.SQL("CREATE TABLE floor.{0} (LIKE public.{0} INCLUDING ALL)").format(
                sql.Identifier(table)
            )
            connection.execute(empty)
        database.settle(source)
        began = time.perf_counter()
        with connection.transaction():
            for table in tables:
                _import(connection, table, folder / f"{table}.copy")
        seconds = time.perf_counter() - began
        connection.execute("DROP SCHEMA floor CASCADE")
        return seconds


def _export(connection: "psycopg.Connection[tuple[object, ...]]", table: str, path: Path) -> None:
    command = sql.SQL("COPY public.{} TO STDOUT").format(sql.Identifier(table))
    with path.open("wb") as file, connection.cursor() as cursor, cursor.copy(command) as copy:
        for block in copy:
            file.write(block)


def _import(connection: "psycopg.Connection[tuple[object, ...]]", table: str, path: Path) -> None:
    command = sql.SQL("COPY floor.{} FROM STDIN").format(sql.Identifier(table))
    with path.open("rb") as file, connection.cursor() as cursor, cursor.copy(command) as copy:
        while block := file.read(_BLOCK):
            copy.write(block)
