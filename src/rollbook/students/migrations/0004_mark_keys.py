from django.db import migrations


class Migration(migrations.Migration):
    """Clear fingerprints that were computed without a mark key.

    Those of an older version recognize no row anyway.
    """

    dependencies = [
        ("students", "0003_identity"),
    ]

    operations = [
        migrations.RunSQL(
            "UPDATE students_rowfingerprint SET fingerprint = NULL", migrations.RunSQL.noop
        ),
    ]
