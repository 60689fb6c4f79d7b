"""Transfers by hand, and those that wait for the district."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from rollbook.db.collation import set_c_collation


class Migration(migrations.Migration):
    dependencies = [("roster", "0004_first_digests"), ("staff", "0006_more_permissions")]

    operations = [
        migrations.CreateModel(
            name="Transfer",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("source_name", models.CharField(max_length=200)),
                ("target_name", models.CharField(default="", max_length=200)),
                ("note", models.CharField(default="", max_length=200)),
                ("state", models.CharField(max_length=16)),
                ("asked_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(null=True)),
                (
                    "asked_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                ("district", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to="roster.district")),
                (
                    "ended_by",
                    models.ForeignKey(
                        help_text="who moved the students, or took the wish back",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "source",
                    models.ForeignKey(
                        help_text="null: closed since",
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="roster.school",
                    ),
                ),
                (
                    "target",
                    models.ForeignKey(
                        help_text="null: for the district to say, or closed since",
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="roster.school",
                    ),
                ),
                ("students", models.ManyToManyField(to="roster.student")),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("ended_at__isnull", True), ("ended_by__isnull", True), ("state", "waiting")),
                            models.Q(
                                ("ended_at__isnull", False),
                                ("ended_by__isnull", False),
                                ("state__in", ["moved", "withdrawn"]),
                            ),
                            _connector="OR",
                        ),
                        name="transfer_state",
                    ),
                ],
            },
        ),
        migrations.RunPython(set_c_collation("roster.Transfer"), migrations.RunPython.noop),
    ]
