"""Transient errors and bugs are distinguished."""

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


def test_a_full_disk_is_transient_and_a_missing_file_is_not() -> None:
    assert is_transient(OSError(errno.ENOSPC, "No space left on device"))
    assert not is_transient(FileNotFoundError(errno.ENOENT, "No such file or directory"))
    assert not is_transient(ValueError())


@pytest.mark.django_db
def test_an_error_in_a_statement_is_not_transient() -> None:
    with pytest.raises(Error) as caught, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT nothing FROM nowhere")
    assert not is_transient(caught.value)


@pytest.mark.only_on("sqlite")
@pytest.mark.django_db(transaction=True)
def test_a_locked_database_is_transient(tmp_path: Path) -> None:
    other = sqlite3.connect(str(connection.settings_dict["NAME"]), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA busy_timeout = 10")
        with pytest.raises(OperationalError) as caught, transaction.atomic():
            pass
        cursor.execute("PRAGMA busy_timeout = 30000")
    other.close()
    assert is_transient(caught.value)


@pytest.mark.only_on("postgresql")
@pytest.mark.django_db(transaction=True)
def test_a_closed_connection_is_transient() -> None:
    with pytest.raises(OperationalError) as caught, connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
    connection.close()
    assert is_transient(caught.value)


@pytest.mark.parametrize(
    ("error_class", "cause", "expected"),
    [
        (OperationalError, psycopg.errors.DeadlockDetected, True),
        (OperationalError, psycopg.errors.DiskFull, True),
        (OperationalError, psycopg.errors.LockNotAvailable, True),
        (OperationalError, psycopg.errors.AdminShutdown, True),
        (OperationalError, psycopg.errors.TooManyConnections, True),
        (OperationalError, psycopg.OperationalError, True),  # no server answers
        (InterfaceError, psycopg.InterfaceError, True),  # the connection is already closed
        (IntegrityError, psycopg.errors.UniqueViolation, False),
        (DataError, psycopg.errors.StringDataRightTruncation, False),
    ],
)
def test_errors_of_postgresql(
    error_class: type[Error], cause: type[psycopg.Error], expected: bool
) -> None:
    error = error_class()
    error.__cause__ = cause()
    assert is_transient(error) is expected
