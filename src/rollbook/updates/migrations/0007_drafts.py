"""Files that wait to be sent; which update another one mends; how many students changed in each column."""

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("roster", "0004_first_digests"),
        ("updates", "0006_unconstrained_rows"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Draft",
            fields=[
                (
                    "file_name",
                    models.CharField(help_text="as the client called it, made fit for display", max_length=100),
                ),
                ("file_size", models.PositiveBigIntegerField()),
                ("file_digest", models.CharField(help_text="SHA-256, hexadecimal", max_length=64)),
                (
                    "spool_name",
                    models.CharField(
                        help_text="the file's name in the spool folder; ours, not the client's", max_length=64
                    ),
                ),
                ("encoding", models.CharField(help_text="as asked for, or the district's", max_length=32)),
                ("read_as", models.CharField(help_text="the encoding the file turned out to have", max_length=32)),
                ("header", models.JSONField(default=list, help_text="the column names as sent")),
                ("marks", models.JSONField(default=list, help_text="byte and line of places where reading may begin")),
                (
                    "rows",
                    models.PositiveIntegerField(
                        default=0, help_text="rows in the file; blank lines and the header do not count"
                    ),
                ),
                ("key", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("made_at", models.DateTimeField()),
                (
                    "findings",
                    models.JSONField(help_text="what checking found, see findings.py; nothing out of a PASSWORD cell"),
                ),
                (
                    "district",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, to="roster.district"
                    ),
                ),
                (
                    "member",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to=settings.AUTH_USER_MODEL),
                ),
                (
                    "update",
                    models.ForeignKey(
                        help_text="what it was sent as",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="updates.update",
                    ),
                ),
            ],
            options={"abstract": False},
        ),
        migrations.AddField(
            model_name="update",
            name="field_counts",
            field=models.JSONField(help_text="column to students in whom it changed; null: nobody counted", null=True),
        ),
        migrations.AddField(
            model_name="update",
            name="mends",
            field=models.ForeignKey(
                help_text="whose rejected or unprocessed rows the file repeats",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                to="updates.update",
            ),
        ),
        migrations.AlterField(
            model_name="update",
            name="via",
            field=models.CharField(
                help_text="how the file came: curl, the browser, or the rollbook command", max_length=32
            ),
        ),
        migrations.AddIndex(
            model_name="row",
            index=models.Index(
                condition=models.Q(("outcome__isnull", False)), fields=["update", "outcome", "line"], name="row_ended"
            ),
        ),
    ]
