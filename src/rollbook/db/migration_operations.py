"""Steps of migrations for PostgreSQL; on SQLite they do nothing."""

from collections.abc import Callable

from django.db import models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

Step = Callable[[StateApps, BaseDatabaseSchemaEditor], None]


def set_c_collation(*labels: str) -> Step:
    """Return a step that compares the text columns of these models byte by byte.

    SQLite does so by itself, and it is the fastest. A text column that is added later needs the step again.

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
    """Return a step that executes these statements on PostgreSQL only."""

    def step(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
        if schema_editor.connection.vendor == "postgresql":
            for statement in statements:
                schema_editor.execute(statement)

    return step
