"""All triggers exist after every migration, even if it was interrupted."""

import pytest
from django.db import connection

from rollbook.db.migrating import migrate_if_needed
from rollbook.db.triggers import drop_triggers, install_triggers, missing_triggers

ONLY_ON_POSTGRESQL = {"audit_event_truncate", "audit_seal_truncate"}
EXPECTED = {
    "audit_seal_delete",
    "audit_seal_update",
    "audit_sealed_delete",
    "audit_sealed_update",
    "touch_group_link_removed",
    "touch_group_renamed",
    "touch_member_renamed",
    "touch_school_renamed",
    "touch_staff_link_removed",
    "touch_student_deleted",
    "touch_student_updated",
    "update_initial_state",
    "update_transitions",
}
if connection.vendor == "postgresql":
    EXPECTED |= ONLY_ON_POSTGRESQL
TABLES = {
    "audit_sealed_delete": "accounts_auditevent",
    "touch_group_renamed": "students_group",
    "update_transitions": "updates_updatejob",
}


def existing() -> set[str]:
    queries = {
        "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger'",
        "postgresql": "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal",
    }
    with connection.cursor() as cursor:
        cursor.execute(queries[connection.vendor])
        return {name for (name,) in cursor.fetchall()} & EXPECTED


def drop(name: str) -> None:
    on_table = f" ON {TABLES[name]}" if connection.vendor == "postgresql" else ""
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TRIGGER {name}{on_table}")


@pytest.mark.django_db
def test_a_migrated_database_has_all_triggers() -> None:
    assert existing() == EXPECTED
    assert missing_triggers(connection) == []


@pytest.mark.django_db
@pytest.mark.parametrize("name", TABLES)
def test_a_missing_trigger_is_installed_at_the_next_start(name: str) -> None:
    drop(name)
    assert missing_triggers(connection) == [name]
    migrate_if_needed()
    assert existing() == EXPECTED


@pytest.mark.django_db
def test_triggers_can_be_installed_any_number_of_times() -> None:
    for _ in range(2):
        install_triggers("default", plan=["a migration"])
    assert existing() == EXPECTED


@pytest.mark.django_db
@pytest.mark.only_on("sqlite")
def test_triggers_are_dropped_before_a_migration_of_sqlite() -> None:
    drop_triggers("default", plan=[])
    assert existing() == EXPECTED
    drop_triggers("default", plan=["a migration"])
    assert existing() == set()
    install_triggers("default")
    assert existing() == EXPECTED
