"""The schema of the database is compared with this version."""

import pytest
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.test.utils import CaptureQueriesContext

from rollbook.db import schema_version
from rollbook.db.schema_version import DatabaseIsNewer, DatabaseIsOlder, SchemaCheck

pytestmark = pytest.mark.django_db


def unapply_last() -> None:
    applied = MigrationRecorder(connection).applied_migrations()
    MigrationRecorder(connection).record_unapplied(*max(k for k in applied if k[0] == "updates"))


def test_a_database_of_this_version_is_current() -> None:
    schema_version.require_current()
    assert schema_version.pending_migrations() == []


def test_a_database_of_an_older_version_is_an_error() -> None:
    unapply_last()
    with pytest.raises(DatabaseIsOlder, match=r"\(1 migrations are not applied\); back it up, "):
        schema_version.require_current()


def test_a_missing_trigger_is_an_interrupted_migration() -> None:
    statement = "DROP TRIGGER update_transitions"
    if connection.vendor == "postgresql":
        statement += " ON updates_updatejob"
    with connection.cursor() as cursor:
        cursor.execute(statement)
    with pytest.raises(DatabaseIsOlder) as caught:
        schema_version.require_current()
    assert str(caught.value) == (
        "a migration of the database was interrupted (1 trigger missing); run `rollbook migrate`"
    )


def test_a_database_of_a_newer_version_is_an_error() -> None:
    MigrationRecorder(connection).record_applied("updates", "9999_newer")
    with pytest.raises(DatabaseIsNewer) as caught:
        schema_version.require_current()
    assert str(caught.value) == (
        "a newer version of Rollbook has changed the database (updates.9999_newer); "
        "install that version here too, and start it again"
    )


def test_migrations_of_other_programs_are_ignored() -> None:
    MigrationRecorder(connection).record_applied("another", "9999_program")
    schema_version.require_not_newer()


class TestRepeatedCheck:
    """SchemaCheck, which processes use while they run."""

    def test_it_needs_one_query_with_an_index_while_nothing_changes(self) -> None:
        check = SchemaCheck()
        check.require_current()
        with CaptureQueriesContext(connection) as queries:
            check.require_current()
        [query] = queries.captured_queries
        assert query["sql"].endswith(' FROM "django_migrations" ORDER BY 1 DESC LIMIT 1')

    def test_it_sees_each_migration_that_is_recorded(self) -> None:
        check = SchemaCheck()
        check.require_current()
        MigrationRecorder(connection).record_applied("updates", "9999_newer")
        for _ in range(2):
            with pytest.raises(DatabaseIsNewer):
                check.require_current()

    def test_it_sees_an_older_database_that_was_restored_and_its_migration(self) -> None:
        check = SchemaCheck()
        check.require_current()
        last = MigrationRecorder.Migration.objects.order_by("id").last()
        assert last
        MigrationRecorder.Migration.objects.filter(pk=last.pk).delete()
        for _ in range(2):
            with pytest.raises(DatabaseIsOlder):
                check.require_current()
        MigrationRecorder(connection).record_applied(last.app, last.name)
        check.require_current()
