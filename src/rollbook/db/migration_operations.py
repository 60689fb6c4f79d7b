"""Migration steps for PostgreSQL that do nothing on SQLite."""

from collections.abc import Callable

from django.db import models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

Step = Callable[[StateApps, BaseDatabaseSchemaEditor], None]


def set_c_collation(*labels: str) -> Step:
    """Return a step that makes PostgreSQL compare the text columns of models byte by byte.

    SQLite always does, and it's the fastest way. When a text column is added to a model, its
    migration needs this step too.

    Args:
        labels: Models, such as ``students.Student``.
    """

    def step(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
        if schema_editor.connection.vendor != "postgresql":
            return
        for model in map(apps.get_model, labels):
            for field in model._meta.local_concrete_fields:
                if isinstance(field, models.CharField | models.TextField):
                    column_type = field.db_type(schema_editor.connection)
                    schema_editor.execute(
                        f'ALTER TABLE {model._meta.db_table} ALTER COLUMN "{field.column}"'
                        f' TYPE {column_type} COLLATE "C"'
                    )

    return step


def on_postgresql(*statements: str) -> Step:
    """Return a step that executes SQL statements on PostgreSQL only."""

    def step(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
        if schema_editor.connection.vendor == "postgresql":
            for statement in statements:
                schema_editor.execute(statement)

    return step
