"""The database is migrated to this version, unless it is newer."""

import pytest
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from rollbook.db import schema_version

pytestmark = pytest.mark.django_db


def test_a_database_of_this_version_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema_version, "call_command", None)
    schema_version.migrate_if_needed()


def test_a_database_of_an_older_version_is_migrated(monkeypatch: pytest.MonkeyPatch) -> None:
    commands = []
    monkeypatch.setattr(
        schema_version, "call_command", lambda *arguments, **options: commands.append(arguments)
    )
    applied = [
        key for key in MigrationRecorder(connection).applied_migrations() if key[0] == "updates"
    ]
    MigrationRecorder(connection).record_unapplied(*max(applied))
    schema_version.migrate_if_needed()
    assert commands == [("migrate",)]


def test_a_database_of_a_newer_version_is_an_error() -> None:
    MigrationRecorder(connection).record_applied("updates", "9999_newer")
    with pytest.raises(schema_version.DatabaseIsNewer) as caught:
        schema_version.migrate_if_needed()
    assert str(caught.value) == (
        "a newer version of Rollbook has changed the database (updates.9999_newer); "
        "install that version here too, and start it again"
    )


def test_migrations_of_other_programs_are_ignored() -> None:
    MigrationRecorder(connection).record_applied("another", "9999_program")
    schema_version.require_not_newer()
