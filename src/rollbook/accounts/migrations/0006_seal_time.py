from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0005_installation_state"),
    ]

    operations = [
        migrations.AddField(
            model_name="auditseal",
            name="covers_time",
            field=models.BooleanField(
                db_default=False,
                help_text="whether both digests are also over the time of the seal",
            ),
        ),
    ]
