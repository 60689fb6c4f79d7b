"""The tables of a database, and the digests of their rows."""

from typing import Any

import pytest
from django.db import connection, transaction
from django.db.migrations.loader import MigrationLoader

from rollbook.accounts.models import Member, Session
from rollbook.districts.models import District
from rollbook.operations.tables import Table, current_tables, digest_table, tables_of
from rollbook.students.models import Student
from rollbook.updates.models import FileChunk, UpdateJob
from tests.operations.every_table import fill

pytestmark = pytest.mark.django_db


def digests() -> dict[str, str]:
    """Return the digest of each table of the test's database."""
    connection.ensure_connection()
    session: Any = connection.connection
    with transaction.atomic():
        is_sqlite = connection.vendor == "sqlite"
        cursor = session.cursor() if is_sqlite else session.cursor(name="test")
        tables = {t.name: digest_table(cursor, connection.vendor, t) for t in current_tables()}
        cursor.close()
    empty = [name for name, found in tables.items() if not found.rows]
    assert empty == [], "every_table.py must create a row"
    return {name: found.digest for name, found in tables.items()}


def test_each_change_of_a_row_changes_the_digest_of_its_table_only() -> None:
    fill()
    before = digests()
    assert digests() == before
    for model, change in (
        (Student, {"last_name": "Zoe"}),
        (District, {"requires_second_factor": False}),
        (FileChunk, {"data": bytes(range(255))}),
        (UpdateJob, {"checkpoints": [[0, 2]]}),
        (Session, {"address": "2001:db8::2"}),
        (Member, {"last_login": "2026-11-28T12:00:00.000001Z"}),
    ):
        model._default_manager.update(**change)
        after = digests()
        changed = {name for name in before if after[name] != before[name]}
        expected = {model._meta.db_table}
        if model in (Member, Student):
            expected |= {"students_student", "students_touched"}  # by triggers
        assert changed <= expected
        assert model._meta.db_table in changed
        before = after


def test_tables_come_after_those_that_they_refer_to() -> None:
    seen: set[str] = set()
    for table in current_tables():
        assert table.refers_to <= seen
        seen.add(table.name)


def table_named(tables: list[Table], name: str) -> Table | None:
    return next((table for table in tables if table.name == name), None)


def test_an_older_database_has_the_tables_and_columns_of_its_migrations() -> None:
    everything = MigrationLoader(None).disk_migrations
    newer = {("accounts", "0003_installation"), ("accounts", "0005_installation_state")}
    dependent = {key for key in everything if key[0] == "accounts" and key[1] > "0002"}
    assert newer <= dependent
    older = tables_of(set(everything) - dependent)
    assert table_named(older, "accounts_installation") is None
    later = {key for key in everything if key[0] == "accounts" and key[1] >= "0005"}
    last = tables_of(set(everything) - later)
    installation = table_named(last, "accounts_installation")
    assert installation
    assert [column.name for column in installation.columns] == ["id", "key"]
