"""What a command says if the database changes while it runs."""

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.migrations.recorder import MigrationRecorder

from rollbook.cli.bootstrap import reporting_database_errors
from rollbook.cli.errors import NEWER_DATABASE, CommandError

pytestmark = pytest.mark.django_db


def select_a_removed_column() -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT removed_column FROM students_student")


def test_a_database_that_a_newer_version_has_migrated_meanwhile_is_named() -> None:
    MigrationRecorder(connection).record_applied("updates", "9001_first")
    with pytest.raises(CommandError) as raised, reporting_database_errors():
        select_a_removed_column()
    assert raised.value.code == "newer_database"
    assert raised.value.exit_code == NEWER_DATABASE
    assert "(updates.9001_first)" in str(raised.value)


def test_the_same_error_in_a_database_of_this_version_is_no_known_one() -> None:
    with pytest.raises((DatabaseError, CommandError)) as raised, reporting_database_errors():
        select_a_removed_column()
    assert getattr(raised.value, "code", "") != "newer_database"


def test_an_error_of_the_command_itself_stays_what_it_is() -> None:
    MigrationRecorder(connection).record_applied("updates", "9001_first")
    refused = CommandError("no_district", "there is no such district")
    with pytest.raises(CommandError) as raised, reporting_database_errors():
        raise refused
    assert raised.value is refused
