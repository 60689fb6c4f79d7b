"""Faults that pass, and mistakes of ours."""

import errno
import sqlite3
from pathlib import Path

import pytest
from django.db import OperationalError, connection, transaction

from rollbook.sqlite.faults import is_passing


def test_a_full_disk_passes_and_a_missing_file_does_not() -> None:
    assert is_passing(OSError(errno.ENOSPC, "No space left on device"))
    assert not is_passing(FileNotFoundError(errno.ENOENT, "No such file or directory"))
    assert not is_passing(ValueError())


@pytest.mark.django_db
def test_a_mistake_in_a_statement_does_not_pass() -> None:
    with pytest.raises(OperationalError) as told, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT nothing FROM nowhere")
    assert not is_passing(told.value)


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
    assert is_passing(told.value)
