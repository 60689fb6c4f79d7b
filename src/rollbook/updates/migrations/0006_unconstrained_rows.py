"""Staged rows cost no checks of foreign keys."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("roster", "0004_first_digests"),
        ("updates", "0005_pieces"),
    ]

    operations = [
        migrations.AlterField(
            model_name="row",
            name="row_values",
            field=models.TextField(
                help_text="JSON: column to value of a new student, else column to old and new value"
            ),
        ),
        migrations.AlterField(
            model_name="row",
            name="student",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                help_text="null: a new one",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                to="roster.student",
            ),
        ),
        migrations.AlterField(
            model_name="row",
            name="update",
            field=models.ForeignKey(
                db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, to="updates.update"
            ),
        ),
    ]
