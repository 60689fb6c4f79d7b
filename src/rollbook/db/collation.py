"""Texts compared byte by byte, whatever order the PostgreSQL was set up with: as SQLite does, and quickly."""

from collections.abc import Callable

from django.db import models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps


def set_c_collation(*labels: str) -> Callable[[StateApps, BaseDatabaseSchemaEditor], None]:
    """A step of a migration: every text column that these models have by then. What comes later needs it again."""

    def step(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
        if schema_editor.connection.vendor != "postgresql":
            return
        for model in map(apps.get_model, labels):
            for field in model._meta.local_concrete_fields:
                if isinstance(field, models.CharField | models.TextField):
                    kind = field.db_type(schema_editor.connection)
                    schema_editor.execute(
                        f'ALTER TABLE {model._meta.db_table} ALTER COLUMN "{field.column}" TYPE {kind} COLLATE "C"'
                    )

    return step
