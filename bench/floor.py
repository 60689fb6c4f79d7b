"""The baseline: a minimal script loads a nightly file in bulk and compares it in one statement.

The students are in one table with the data columns and the unique indexes that Rollbook has. Rows
aren't validated, changes aren't recorded, nothing is committed in between, and passwords are stored
as sent. The measured time includes: read the file with Python's csv, load it into a temporary
table, one UPDATE … FROM … WHERE … IS DISTINCT FROM, commit.
"""

import csv
import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path

import psycopg

from bench.plan import BenchFailed
from bench.students import COLUMNS

_NAMES = [column.lower() for column in COLUMNS]
_DATA = [name for name in _NAMES if name != "student_id"]
_LIST = ", ".join(_NAMES)
_SET = ", ".join(f"{name} = load.{name}" for name in _DATA)
_OURS, _THEIRS = (", ".join(f"{table}.{name}" for name in _DATA) for table in ("students", "load"))
_UPDATE = (
    f"UPDATE students SET {_SET} FROM load "
    "WHERE students.district = 1 AND students.student_id = load.student_id"
)
_MERGE = f"""
    MERGE INTO students
    USING load ON students.district = 1 AND students.student_id = load.student_id
    WHEN MATCHED AND ({_OURS}) IS DISTINCT FROM ({_THEIRS}) THEN UPDATE SET {_SET}
    WHEN NOT MATCHED THEN INSERT ({_LIST}) VALUES ({", ".join(f"load.{name}" for name in _NAMES)})
"""
_UPSERT = f"""
    INSERT INTO students ({_LIST}) VALUES ({", ".join("?" * len(_NAMES))})
    ON CONFLICT (district, student_id)
    DO UPDATE SET {_SET.replace("load.", "excluded.")}
    WHERE ({_OURS}) IS NOT ({_THEIRS.replace("load.", "excluded.")})
"""
_BLOCK_BYTES = 1 << 20
_INDEXES = (
    "CREATE UNIQUE INDEX students_id ON students (district, student_id)",
    "CREATE UNIQUE INDEX students_username ON students (district, username)",
    "CREATE UNIQUE INDEX students_name ON students (district, first_name, last_name, dob)",
)


class SQLiteFloor:
    """The floor in an SQLite file, as durable as Rollbook's: WAL, synchronous=FULL."""

    def __init__(self, address: str) -> None:
        self._address = address

    def fill(self, base: Path) -> None:
        """Make the table, with the students of this file in it."""
        with closing(self._open()) as connection:
            columns = ", ".join(f"{name} TEXT NOT NULL" for name in _NAMES)
            connection.execute(
                "CREATE TABLE students (id INTEGER PRIMARY KEY, "
                f"district INTEGER NOT NULL DEFAULT 1, {columns})"
            )
            self._insert(connection, "students", _rows(base))
            for index in _INDEXES:
                connection.execute(index)
            connection.commit()
            connection.execute("ANALYZE")

    def update(self, path: Path) -> tuple[float, int]:
        """Bring the students up to this file; returns the seconds it took and how many changed."""
        with closing(self._open()) as connection:
            began = time.perf_counter()
            connection.execute(
                f"CREATE TEMP TABLE load ({', '.join(f'{name} TEXT' for name in _NAMES)})"
            )
            self._insert(connection, "load", _rows(path))
            changed = connection.execute(f"{_UPDATE} AND ({_OURS}) IS NOT ({_THEIRS})").rowcount
            connection.commit()
            return time.perf_counter() - began, changed

    def merge(self, path: Path) -> tuple[float, int]:
        """Bring the students up to this file; returns the seconds it took and how many changed."""
        with closing(self._open()) as connection:
            began = time.perf_counter()
            connection.executemany(_UPSERT, _rows(path))
            connection.commit()
            return time.perf_counter() - began, connection.total_changes

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._address)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        return connection

    @staticmethod
    def _insert(connection: sqlite3.Connection, table: str, rows: Iterable[list[str]]) -> None:
        connection.executemany(
            f"INSERT INTO {table} ({_LIST}) VALUES ({', '.join('?' * len(_NAMES))})", rows
        )


class PostgresFloor:
    """The floor in a PostgreSQL database."""

    def __init__(self, address: str) -> None:
        self._address = address

    def fill(self, base: Path) -> None:
        """Make the table, with the students of this file in it."""
        with self._open() as connection:
            connection.execute(
                "CREATE TABLE students (id bigserial PRIMARY KEY, "
                f"district bigint NOT NULL DEFAULT 1, {_types()})"
            )
            self._copy(connection, "students", _rows(base))
            for index in _INDEXES:
                connection.execute(index)

    def update(self, path: Path) -> tuple[float, int]:
        """Bring the students up to this file; returns the seconds it took and how many changed."""
        with closing(self._open()) as connection:
            began = time.perf_counter()
            connection.execute(f"CREATE TEMP TABLE load ({_types()})")
            self._copy(connection, "load", _rows(path))
            changed = connection.execute(
                f"{_UPDATE} AND ({_OURS}) IS DISTINCT FROM ({_THEIRS})"
            ).rowcount
            connection.commit()
            return time.perf_counter() - began, changed

    def merge(self, path: Path) -> tuple[float, int]:
        """Bring the students up to this file; returns the seconds it took and how many changed."""
        with closing(self._open()) as connection, path.open("rb") as file:
            began = time.perf_counter()
            connection.execute(f"CREATE TEMP TABLE load ({_types()})")
            copied = f"COPY load ({_LIST}) FROM STDIN (FORMAT csv, HEADER, NULL '\\N')"
            with connection.cursor() as cursor, cursor.copy(copied) as copy:
                while block := file.read(_BLOCK_BYTES):
                    copy.write(block)
            changed = connection.execute(_MERGE).rowcount
            connection.commit()
            return time.perf_counter() - began, changed

    def _open(self) -> "psycopg.Connection[tuple[object, ...]]":
        return psycopg.connect(self._address, options="-c datestyle=ISO,MDY")

    @staticmethod
    def _copy(
        connection: "psycopg.Connection[tuple[object, ...]]", table: str, rows: Iterable[list[str]]
    ) -> None:
        with (
            connection.cursor() as cursor,
            cursor.copy(f"COPY {table} ({_LIST}) FROM STDIN") as copy,
        ):
            for row in rows:
                copy.write_row(row)


def _types() -> str:
    return ", ".join(f"{name} {'date' if name == 'dob' else 'text'} NOT NULL" for name in _NAMES)


def _rows(path: Path) -> Iterator[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.reader(file)
        if next(reader) != COLUMNS:
            raise BenchFailed(
                f"{path} has other columns than bench/students.py writes; delete its folder"
            )
        yield from reader
