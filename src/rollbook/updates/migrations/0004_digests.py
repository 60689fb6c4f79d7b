"""What checking by digest and in two processes needs to know."""

from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

from rollbook.updates.state_machine import transition_triggers


def make_again(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """SQLite has made the table anew for the new column, without its triggers."""
    if schema_editor.connection.vendor == "sqlite":
        for statement in transition_triggers("sqlite"):
            schema_editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [
        ("updates", "0003_both_databases"),
    ]

    operations = [
        migrations.AddField(
            model_name="row",
            name="digest",
            field=models.BigIntegerField(
                help_text="of the record, see students/fingerprints.py; null: it had a problem", null=True
            ),
        ),
        migrations.AddField(
            model_name="row",
            name="edition",
            field=models.PositiveIntegerField(help_text="of the student, when the row was compared", null=True),
        ),
        migrations.AddField(
            model_name="update",
            name="marks",
            field=models.JSONField(default=list, help_text="byte and line of places where reading may begin"),
        ),
        migrations.AddField(
            model_name="update",
            name="applied_turn",
            field=models.BigIntegerField(default=-1, help_text="all rows of turns up to this one are applied"),
        ),
        migrations.AlterField(
            model_name="row",
            name="outcome",
            field=models.CharField(help_text="if not that which ENDED_AS tells", max_length=16, null=True),
        ),
        migrations.RunPython(make_again, migrations.RunPython.noop),
    ]
