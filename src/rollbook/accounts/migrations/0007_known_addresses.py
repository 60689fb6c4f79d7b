from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0005_installation_state"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="knownaddress",
            index=models.Index(fields=["address", "last_seen_at"], name="known_addresses"),
        ),
    ]
