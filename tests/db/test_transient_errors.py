"""Faults that pass, and mistakes of ours."""

import errno
import sqlite3
from pathlib import Path

import psycopg
import pytest
from django.db import (
    DataError,
    Error,
    IntegrityError,
    InterfaceError,
    OperationalError,
    connection,
    transaction,
)

from rollbook.db.transient_errors import is_transient


def test_a_full_disk_passes_and_a_missing_file_does_not() -> None:
    assert is_transient(OSError(errno.ENOSPC, "No space left on device"))
    assert not is_transient(FileNotFoundError(errno.ENOENT, "No such file or directory"))
    assert not is_transient(ValueError())


@pytest.mark.django_db
def test_a_mistake_in_a_statement_does_not_pass() -> None:
    with pytest.raises(Error) as told, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT nothing FROM nowhere")
    assert not is_transient(told.value)


@pytest.mark.only_on("sqlite")
@pytest.mark.django_db(transaction=True)
def test_a_locked_database_passes(tmp_path: Path) -> None:
    other = sqlite3.connect(str(connection.settings_dict["NAME"]), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA busy_timeout = 10")
        with pytest.raises(OperationalError) as told, transaction.atomic():
            pass
        cursor.execute("PRAGMA busy_timeout = 30000")
    other.close()
    assert is_transient(told.value)


@pytest.mark.only_on("postgresql")
@pytest.mark.django_db(transaction=True)
def test_a_connection_that_was_ended_passes() -> None:
    with pytest.raises(OperationalError) as told, connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
    connection.close()
    assert is_transient(told.value)


@pytest.mark.parametrize(
    ("fault", "cause", "passes"),
    [
        (OperationalError, psycopg.errors.DeadlockDetected, True),
        (OperationalError, psycopg.errors.DiskFull, True),
        (OperationalError, psycopg.errors.LockNotAvailable, True),
        (OperationalError, psycopg.errors.AdminShutdown, True),
        (OperationalError, psycopg.errors.TooManyConnections, True),
        (OperationalError, psycopg.OperationalError, True),  # nobody answers
        (InterfaceError, psycopg.InterfaceError, True),  # the connection is closed already
        (IntegrityError, psycopg.errors.UniqueViolation, False),
        (DataError, psycopg.errors.StringDataRightTruncation, False),
    ],
)
def test_postgresql_says_what_passes(
    fault: type[Error], cause: type[psycopg.Error], passes: bool
) -> None:
    told = fault()
    told.__cause__ = cause()
    assert is_transient(told) is passes
