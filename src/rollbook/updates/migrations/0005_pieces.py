"""Where uploaded files stand on PostgreSQL."""

from django.db import migrations, models

from rollbook.db.only_on import on_postgresql

# Its own compression takes longer than all the rest of receiving a file.
leave_uncompressed = on_postgresql("ALTER TABLE updates_piece ALTER COLUMN data SET STORAGE EXTERNAL")


class Migration(migrations.Migration):
    dependencies = [
        ("updates", "0004_digests"),
    ]

    operations = [
        migrations.CreateModel(
            name="Piece",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("spool_name", models.CharField(max_length=64)),
                ("number", models.PositiveIntegerField()),
                ("data", models.BinaryField()),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("spool_name", "number"), name="piece_number")],
            },
        ),
        migrations.RunPython(leave_uncompressed, migrations.RunPython.noop),
    ]
