"""Where the digests of students' rows stand, and what clears them."""

import django.db.models.deletion
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

from rollbook.students.fingerprint_triggers import fingerprint_triggers


def make(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    for statement in fingerprint_triggers(schema_editor.connection.vendor):
        schema_editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [
        ("roster", "0002_initial"),
        ("staff", "0001_initial"),
        ("updates", "0003_both_databases"),
    ]

    operations = [
        migrations.CreateModel(
            name="RowDigest",
            fields=[
                (
                    "student",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        serialize=False,
                        to="roster.student",
                    ),
                ),
                (
                    "digest",
                    models.BigIntegerField(help_text="null: something else has changed the student since", null=True),
                ),
                (
                    "edition",
                    models.PositiveIntegerField(default=0, help_text="counts how often the student was changed"),
                ),
                (
                    "district",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, to="roster.district"
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["district", "digest"], name="row_digest")],
            },
        ),
        migrations.RunPython(make, migrations.RunPython.noop),
    ]
