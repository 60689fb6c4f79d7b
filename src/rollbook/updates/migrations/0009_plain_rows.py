"""Staged rows tell which columns change where nothing has to be looked up to change them.

And PostgreSQL does not try to compress what a batch remembers: it is read once or twice, and gone when the check ends.
"""

from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

from rollbook.database.collation import compare_bytes


def leave_uncompressed(apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    """Only PostgreSQL compresses."""
    if editor.connection.vendor == "postgresql":
        for column in ("students", "lines"):
            editor.execute(f"ALTER TABLE updates_batch ALTER COLUMN {column} SET STORAGE EXTERNAL")


class Migration(migrations.Migration):
    dependencies = [("updates", "0008_retention")]

    operations = [
        migrations.AddField(
            model_name="row",
            name="plain",
            field=models.CharField(
                help_text="the columns that change, if all of them are nothing but their own value",
                max_length=512,
                null=True,
            ),
        ),
        migrations.RunPython(compare_bytes("updates.Row"), migrations.RunPython.noop),
        migrations.RunPython(leave_uncompressed, migrations.RunPython.noop),
    ]
