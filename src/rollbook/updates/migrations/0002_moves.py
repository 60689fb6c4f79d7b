"""The database itself refuses every move of an update that moves.py does not name."""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

from rollbook.updates.state_machine import transition_triggers


def make(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    for statement in transition_triggers(schema_editor.connection.vendor):
        schema_editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("updates", "0001_initial")]
    operations = [migrations.RunPython(make, migrations.RunPython.noop)]
