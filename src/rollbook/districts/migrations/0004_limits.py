from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("districts", "0003_lifecycle"),
    ]

    operations = [
        migrations.AddField(
            model_name="district",
            name="invitations_per_day",
            field=models.PositiveIntegerField(
                db_default=2000,
                default=2000,
                help_text="by members of the district, in 24 hours; the operator sets it",
            ),
        ),
        migrations.AddField(
            model_name="district",
            name="kept_bytes_limit",
            field=models.PositiveBigIntegerField(
                db_default=20000000000,
                default=20000000000,
                help_text="of all files of the district that are kept; the operator sets it",
            ),
        ),
    ]
