"""Migration steps for PostgreSQL that do nothing on SQLite."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.db import models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

Step = Callable[[StateApps, BaseDatabaseSchemaEditor], None]


def set_c_collation(*labels: str) -> Step:
    """Return a step that makes PostgreSQL compare the text columns of models byte by byte.

    SQLite always does, and it's the fastest way. When a text column is added to a model, its
    migration needs this step too. Columns that have been compared so before aren't touched.

    Args:
        labels: Models, such as ``students.Student``.
    """

    def step(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
        if schema_editor.connection.vendor != "postgresql":
            return
        for model in map(apps.get_model, labels):
            table = model._meta.db_table
            done = _columns_in_c(schema_editor, table)
            columns = {
                field.column: field.db_type(schema_editor.connection)
                for field in model._meta.local_concrete_fields
                if isinstance(field, models.CharField | models.TextField)
                and field.column not in done
            }
            if columns:
                with _without_triggers(schema_editor, table):
                    for name, column_type in columns.items():
                        schema_editor.execute(
                            f'ALTER TABLE {table} ALTER COLUMN "{name}"'
                            f' TYPE {column_type} COLLATE "C"'
                        )

    return step


def _columns_in_c(schema_editor: BaseDatabaseSchemaEditor, table: str) -> set[str]:
    """Return the columns of a table that have the collation "C"."""
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(
            "SELECT attname FROM pg_attribute JOIN pg_collation ON pg_collation.oid = attcollation"
            " WHERE attrelid = %s::regclass AND collname = 'C'",
            [table],
        )
        return {name for (name,) in cursor.fetchall()}


@contextmanager
def _without_triggers(schema_editor: BaseDatabaseSchemaEditor, table: str) -> Iterator[None]:
    """Drop the triggers of a table and create them again, in the migration's transaction.

    The type of a column that a trigger names can't be altered.
    """
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgname, pg_get_triggerdef(oid) FROM pg_trigger"
            " WHERE tgrelid = %s::regclass AND NOT tgisinternal",
            [table],
        )
        triggers = cursor.fetchall()
    for name, _ in triggers:
        schema_editor.execute(f'DROP TRIGGER "{name}" ON {table}')
    yield
    for _, definition in triggers:
        schema_editor.execute(definition)


def on_postgresql(*statements: str) -> Step:
    """Return a step that executes SQL statements on PostgreSQL only."""

    def step(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
        if schema_editor.connection.vendor == "postgresql":
            for statement in statements:
                schema_editor.execute(statement)

    return step
