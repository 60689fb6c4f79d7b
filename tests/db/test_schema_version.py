"""Whether the database is of this version, and who brings it up."""

import pytest
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from rollbook.db import schema_version

pytestmark = pytest.mark.django_db


def test_a_database_of_this_version_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema_version, "call_command", None)
    schema_version.migrate_if_needed()


def test_a_database_of_an_older_version_is_brought_up(monkeypatch: pytest.MonkeyPatch) -> None:
    called = []
    monkeypatch.setattr(
        schema_version, "call_command", lambda *arguments, **options: called.append(arguments)
    )
    applied = [
        key for key in MigrationRecorder(connection).applied_migrations() if key[0] == "updates"
    ]
    MigrationRecorder(connection).record_unapplied(*max(applied))
    schema_version.migrate_if_needed()
    assert called == [("migrate",)]


def test_a_database_of_a_newer_version_is_left_alone_and_told() -> None:
    MigrationRecorder(connection).record_applied("updates", "9999_newer")
    with pytest.raises(schema_version.DatabaseIsNewer) as told:
        schema_version.migrate_if_needed()
    assert str(told.value) == (
        "a newer version of Rollbook has changed the database (updates.9999_newer); "
        "install that version here too, and start it again"
    )


def test_what_other_programs_keep_in_the_same_database_is_none_of_our_business() -> None:
    MigrationRecorder(connection).record_applied("another", "9999_program")
    schema_version.require_not_newer()
