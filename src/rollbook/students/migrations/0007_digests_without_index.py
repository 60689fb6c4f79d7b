"""Digests are read all at once when a check begins: an index in their random order only made writing them slow."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("roster", "0006_settings")]

    operations = [
        migrations.AddIndex(
            model_name="rowdigest",
            index=models.Index(fields=["district"], name="row_digest_district"),
        ),
        migrations.RemoveIndex(model_name="rowdigest", name="row_digest"),
    ]
