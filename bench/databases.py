"""The databases to measure: new ones to work in, brought to rest before every timed run."""

import os
import platform
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from bench import processes
from bench.floor import PostgresFloor, SQLiteFloor
from bench.plan import BenchFailed, Plan
from tests.postgres.server import SUPERUSER, running_server

SETTINGS = {"shared_buffers": "512MB", "max_wal_size": "8GB"}
"""Settings of the PostgreSQL server that we start; typical of a server on such a machine."""

_SHOWN = (
    "fsync",
    "synchronous_commit",
    "full_page_writes",
    "shared_buffers",
    "max_wal_size",
    "checkpoint_timeout",
    "work_mem",
    "autovacuum",
)
_IN_MEMORY = ("tmpfs", "ramfs")


class Floor(Protocol):
    """The baseline on one of the databases; see floor.py."""

    def fill(self, base: Path) -> None: ...
    def update(self, path: Path) -> tuple[float, int]: ...
    def merge(self, path: Path) -> tuple[float, int]: ...


class Database(Protocol):
    """A database system; an address is the path of an SQLite file, or a PostgreSQL URL."""

    name: str

    def fresh(self, name: str) -> str:
        """Create an empty database of this name, replacing an existing one; return its address."""

    def drop(self, name: str) -> None:
        """Drop the database."""

    def settle(self, address: str) -> None:
        """Clean up and write everything to disk, as happens in the hours between two files."""

    def number(self, address: str, query: str) -> int:
        """Return the number that a query selects."""

    def floor(self, address: str) -> Floor:
        """Return the baseline in this database."""

    def facts(self) -> dict[str, str]:
        """Return the version and the relevant settings."""


class SQLite:
    """Files in a folder."""

    name = "sqlite"

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def fresh(self, name: str) -> str:
        """Return the path of a new file in its own folder."""
        self.drop(name)
        (self._folder / name).mkdir(parents=True)
        return str(self._folder / name / "bench.sqlite3")

    def drop(self, name: str) -> None:
        """Remove the folder."""
        shutil.rmtree(self._folder / name, ignore_errors=True)

    def settle(self, address: str) -> None:
        """Copy the write-ahead log into the file, and write all to the disk."""
        if Path(address).exists():
            with closing(sqlite3.connect(address)) as connection:
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        os.sync()

    def number(self, address: str, query: str) -> int:
        """Return the number that a query selects."""
        with closing(sqlite3.connect(address)) as connection:
            return int(connection.execute(query).fetchone()[0])

    def floor(self, address: str) -> Floor:
        """Return the baseline in this file."""
        return SQLiteFloor(address)

    def facts(self) -> dict[str, str]:
        """Return the version and the relevant settings."""
        return {"version": sqlite3.sqlite_version, "journal_mode": "wal", "synchronous": "full"}


class PostgreSQL:
    """The databases of one server."""

    name = "postgres"

    def __init__(self, url: str, admin: str = "") -> None:
        """``url`` is for the owner of the databases, ``admin`` for a user with CHECKPOINT."""
        self._url, self._admin = url, admin or url
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            if self.facts()[setting] != "on":
                raise BenchFailed(
                    f"PostgreSQL runs with {setting} off; measure with durable settings only"
                )

    def fresh(self, name: str) -> str:
        """Create an empty database; return its URL."""
        self.drop(name)
        with self._open() as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return _named(self._url, name)

    def drop(self, name: str) -> None:
        """Drop the database, closing all connections to it.

        Only the administrator may close one of autovacuum.
        """
        with psycopg.connect(self._admin, autocommit=True) as connection:
            connection.execute(
                sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
            )

    def settle(self, address: str) -> None:
        """Run VACUUM, ANALYZE and CHECKPOINT."""
        with psycopg.connect(
            _named(self._admin, urlsplit(address).path[1:]), autocommit=True
        ) as connection:
            connection.execute("VACUUM (ANALYZE)")
            connection.execute("CHECKPOINT")

    def number(self, address: str, query: str) -> int:
        """Return the number that a query selects."""
        with psycopg.connect(address, autocommit=True) as connection:
            return int(str(_one(connection, query)))

    def floor(self, address: str) -> Floor:
        """Return the baseline in this database."""
        return PostgresFloor(address)

    def facts(self) -> dict[str, str]:
        """Return the version and the relevant settings."""
        with self._open() as connection:
            shown = {name: str(_one(connection, f"SHOW {name}")) for name in _SHOWN}
            return {"version": str(_one(connection, "SHOW server_version")), **shown}

    def _open(self) -> "psycopg.Connection[tuple[object, ...]]":
        return psycopg.connect(self._url, autocommit=True)


@contextmanager
def databases(plan: Plan) -> Iterator[list[Database]]:
    """Yield the databases of the plan; start a PostgreSQL server if the plan doesn't name one."""
    folder = plan.folder / "databases"
    folder.mkdir(parents=True, exist_ok=True)
    systems: list[Database] = [SQLite(folder)] if "sqlite" in plan.databases else []
    if "postgres" not in plan.databases:
        yield systems
    elif plan.postgres:
        yield [*systems, PostgreSQL(plan.postgres)]
    else:
        with running_server(plan.folder, durable=True, settings=SETTINGS) as server:
            yield [*systems, PostgreSQL(server.url(), server.url(user=SUPERUSER))]


def _named(url: str, database: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{database}"))


def _one(connection: "psycopg.Connection[tuple[object, ...]]", query: str) -> object:
    row = connection.execute(query.encode()).fetchone()
    return row[0] if row else None


def machine(folder: Path) -> dict[str, object]:
    """Return cores, memory, Python and file system; raise BenchFailed if that is not on a disk."""
    kind = processes.file_system(folder)
    if kind in _IN_MEMORY:
        raise BenchFailed(
            f"{folder} is in memory ({kind}), where nothing is durable; "
            "set BENCH_FOLDER to a folder on a disk"
        )
    pages, size = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
    return {
        "cores": os.cpu_count(),
        "memory_bytes": pages * size,
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": platform.python_version(),
        "file_system": kind,
    }
