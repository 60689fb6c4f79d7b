"""Staged rows tell which columns change where nothing has to be looked up to change them.

And PostgreSQL does not try to compress what a batch remembers: it is read once or twice, and gone when the check ends.
"""

from django.db import migrations, models

from rollbook.db.collation import set_c_collation
from rollbook.db.only_on import on_postgresql

leave_uncompressed = on_postgresql(
    "ALTER TABLE updates_batch ALTER COLUMN students SET STORAGE EXTERNAL",
    "ALTER TABLE updates_batch ALTER COLUMN lines SET STORAGE EXTERNAL",
)


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
        migrations.RunPython(set_c_collation("updates.Row"), migrations.RunPython.noop),
        migrations.RunPython(leave_uncompressed, migrations.RunPython.noop),
    ]
