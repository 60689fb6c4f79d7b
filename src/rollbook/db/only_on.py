"""A step of a migration for PostgreSQL alone."""

from collections.abc import Callable

from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps


def on_postgresql(*statements: str) -> Callable[[StateApps, BaseDatabaseSchemaEditor], None]:
    """These statements there, and nothing elsewhere."""

    def step(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
        if schema_editor.connection.vendor == "postgresql":
            for statement in statements:
                schema_editor.execute(statement)

    return step
