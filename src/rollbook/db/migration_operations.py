"""Migration steps for PostgreSQL that do nothing on SQLite."""

from collections.abc import Callable

from django.db import models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

Step = Callable[[StateApps, BaseDatabaseSchemaEditor], None]


def set_c_collation(*labels: str) -> Step:
    """Return a step that makes PostgreSQL compare the text columns of models byte by byte.

    SQLite always does, and it's the fastest way. When a text column is added to a model, its
    migration needs this step too. Columns that have been compared so before aren't touched: the
    type of a column that a trigger names can't be altered.

    Args:
        labels: Models, such as ``students.Student``.
    """

    def step(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
        if schema_editor.connection.vendor != "postgresql":
            return
        for model in map(apps.get_model, labels):
            done = _columns_in_c(schema_editor, model._meta.db_table)
            for field in model._meta.local_concrete_fields:
                is_text = isinstance(field, models.CharField | models.TextField)
                if is_text and field.column not in done:
                    column_type = field.db_type(schema_editor.connection)
                    schema_editor.execute(
                        f'ALTER TABLE {model._meta.db_table} ALTER COLUMN "{field.column}"'
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


def on_postgresql(*statements: str) -> Step:
    """Return a step that executes SQL statements on PostgreSQL only."""

    def step(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
        if schema_editor.connection.vendor == "postgresql":
            for statement in statements:
                schema_editor.execute(statement)

    return step
