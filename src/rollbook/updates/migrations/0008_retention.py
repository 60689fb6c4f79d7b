"""When retention has removed what of an update.

The columns may be null and have no default, so SQLite adds them to the table, which keeps its triggers.
"""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("roster", "0006_settings"), ("updates", "0007_drafts")]

    operations = [
        migrations.AddField(
            model_name="update",
            name="file_removed_at",
            field=models.DateTimeField(help_text="null: the file is kept", null=True),
        ),
        migrations.AddField(
            model_name="update",
            name="details_closed_at",
            field=models.DateTimeField(help_text="since when rows and problems are shown to nobody", null=True),
        ),
        migrations.AddField(
            model_name="update",
            name="details_removed_at",
            field=models.DateTimeField(help_text="when the last of them was removed", null=True),
        ),
        migrations.AddIndex(
            model_name="update",
            index=models.Index(
                condition=models.Q(("file_removed_at__isnull", True)), fields=["ended_at"], name="update_with_file"
            ),
        ),
        migrations.AddIndex(
            model_name="update",
            index=models.Index(
                condition=models.Q(("details_removed_at__isnull", True)),
                fields=["ended_at"],
                name="update_with_details",
            ),
        ),
    ]
