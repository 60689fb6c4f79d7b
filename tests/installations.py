"""Installations for tests that start processes: a data folder with a database of its own.

All are copies of one, which is migrated once in a test run.

The database is of the same kind as that of the test run. On PostgreSQL it is on the same server as
the test run's own database, which nothing here changes.
"""

import fcntl
import hashlib
import os
import secrets
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import Any, LiteralString

import psycopg
from django.conf import settings
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from rollbook.secret_keys import load_or_create_key
from tests.db.own_database import OwnDatabase
from tests.patience import TIMEOUT_S
from tests.settings import SHARED

_END_OUR_SESSIONS: LiteralString = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    "WHERE datname = {} AND usename = current_user"
)

NOT_INHERITED = ("ROLLBOOK_", "DJANGO_", "CURL_", "DATABASE_URL", "TESTS_DATABASE_URL")

_SHARED: Path = Path(os.environ[SHARED])
_INSTALLED_ONCE: Path = _SHARED / "installed"

_databases: dict[Path, OwnDatabase] = {}


def environment(data: Path | None = None, **more: str) -> dict[str, str]:
    """Return the environment of a process on this data folder, without this test run's variables.

    The database of a new folder has no tables. Without a folder there is no DATABASE_URL.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith(NOT_INHERITED)}
    if data:
        kept["ROLLBOOK_DATA"] = str(data)
        if settings.ON_POSTGRESQL and "DATABASE_URL" not in more:
            kept["DATABASE_URL"] = _database(data).url()
    return kept | more


def installed(data: Path) -> Path:
    """Create a data folder with an empty database of this version, faster than migrating."""
    return copied(_installed_once(), data)


def copied(data: Path, to: Path) -> Path:
    """This installation once more, in a new data folder; no process may be at work on it."""
    shutil.copytree(data, to)
    if settings.ON_POSTGRESQL:
        _make(to, _database(data).name)
    return to


def execute(data: Path, statement: str) -> list[tuple[Any, ...]]:
    """Do this in the folder's database; returns the rows of the answer."""
    if settings.ON_POSTGRESQL:
        with psycopg.connect(_database(data).url(), autocommit=True) as connection:
            answer = connection.execute(sql.SQL(statement))
            return answer.fetchall() if answer.description else []
    path = data / "rollbook.sqlite3"
    with closing(sqlite3.connect(path, TIMEOUT_S, isolation_level=None)) as file:
        return file.execute(statement).fetchall()


def forget(below: Path) -> None:
    """Drop the databases of the data folders below this one, closing their connections."""
    for data in [data for data in _databases if data.is_relative_to(below)]:
        if data == _INSTALLED_ONCE:
            continue  # other processes of this run use it
        _drop(_databases.pop(data).name)


def forget_shared() -> None:
    """Drop the database that all processes of this run have copied."""
    if settings.ON_POSTGRESQL and _INSTALLED_ONCE.exists():
        _drop(_template())


@cache
def _installed_once() -> Path:
    """Return an installation to be copied, which the first process of this run has migrated."""
    with (_SHARED / "installed.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not _INSTALLED_ONCE.exists():
            _install(_SHARED / "installing")
            (_SHARED / "installing").rename(_INSTALLED_ONCE)
    if settings.ON_POSTGRESQL:
        _databases[_INSTALLED_ONCE] = _own(_template())
    return _INSTALLED_ONCE


def _install(data: Path) -> None:
    data.mkdir(mode=0o700)
    if settings.ON_POSTGRESQL:
        _create(_template(), "template0")
        _databases[data] = _own(_template())
    migrate = [sys.executable, "-m", "rollbook", "migrate"]
    subprocess.run(migrate, env=environment(data), check=True, capture_output=True)
    load_or_create_key(data / "keys", "session")
    _databases.pop(data, None)


def _template() -> str:
    """Return the name of the database of the shared installation."""
    return f"rollbook_test_{hashlib.sha256(bytes(_SHARED)).hexdigest()[:12]}"


def _database(data: Path) -> OwnDatabase:
    """On PostgreSQL, that of this folder, which is made if it has none yet."""
    return _databases.get(data) or _make(data, "template0")


def _make(data: Path, template: str) -> OwnDatabase:
    name = f"rollbook_test_{secrets.token_hex(6)}"
    _create(name, template)
    _databases[data] = _own(name)
    return _databases[data]


def _own(name: str) -> OwnDatabase:
    return OwnDatabase(conninfo_to_dict(settings.DATABASE_URL) | {"dbname": name})


def _create(name: str, template: str) -> None:
    # Whoever was at work on the template is gone, but the server may not have noticed yet.
    _do(_END_OUR_SESSIONS, sql.Literal(template))
    _do("CREATE DATABASE {} TEMPLATE {}", sql.Identifier(name), sql.Identifier(template))


def _drop(name: str) -> None:
    # Not WITH (FORCE), which fails while autovacuum, which we may not end, is running.
    _do("ALTER DATABASE {} ALLOW_CONNECTIONS false", sql.Identifier(name))
    _do(_END_OUR_SESSIONS, sql.Literal(name))
    _do("DROP DATABASE {}", sql.Identifier(name))


def _do(statement: LiteralString, *words: sql.Composable) -> None:
    with psycopg.connect(settings.DATABASE_URL, autocommit=True) as connection:
        connection.execute(sql.SQL(statement).format(*words))
