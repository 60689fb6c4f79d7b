from django.db import migrations, models

from rollbook.db.migration_operations import set_c_collation


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0004_key_versions"),
    ]

    operations = [
        migrations.AddField(
            model_name="installation",
            name="unfinished",
            field=models.CharField(
                default="",
                help_text="what was begun and has not ended: restore or move",
                max_length=16,
            ),
        ),
        migrations.AddField(
            model_name="installation",
            name="moved_at",
            field=models.DateTimeField(
                help_text="when everything was moved to another database", null=True
            ),
        ),
        migrations.AddField(
            model_name="installation",
            name="restored_at",
            field=models.DateTimeField(help_text="when a backup was last restored", null=True),
        ),
        migrations.AddField(
            model_name="installation",
            name="restored_backup_at",
            field=models.DateTimeField(help_text="when that backup was made", null=True),
        ),
        migrations.AddField(
            model_name="installation",
            name="mail_held_since",
            field=models.DateTimeField(
                help_text="no emails are sent until the operator releases them", null=True
            ),
        ),
        migrations.AddField(
            model_name="installation",
            name="backed_up_at",
            field=models.DateTimeField(help_text="when the last backup was made", null=True),
        ),
        migrations.AddField(
            model_name="installation",
            name="backup_bytes",
            field=models.PositiveBigIntegerField(help_text="the size of that backup", null=True),
        ),
        migrations.RunPython(set_c_collation("accounts.Installation"), migrations.RunPython.noop),
    ]
