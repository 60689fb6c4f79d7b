"""The schools that members cover, browsers in which they are signed in, and letters about their own access."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("roster", "0004_first_digests"),
        ("staff", "0002_key_marks"),
    ]

    operations = [
        migrations.AddField(
            model_name="member",
            name="schools",
            field=models.ManyToManyField(
                help_text="that the member covers; none: the role is district-wide", to="roster.school"
            ),
        ),
        migrations.CreateModel(
            name="PasswordRequest",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("address", models.GenericIPAddressField()),
                ("at", models.DateTimeField()),
            ],
            options={
                "indexes": [models.Index(fields=["address", "at"], name="requests_by_address")],
            },
        ),
        migrations.CreateModel(
            name="Session",
            fields=[
                (
                    "session_key",
                    models.CharField(max_length=40, primary_key=True, serialize=False, verbose_name="session key"),
                ),
                ("session_data", models.TextField(verbose_name="session data")),
                ("expire_date", models.DateTimeField(db_index=True, verbose_name="expire date")),
                ("address", models.GenericIPAddressField(null=True)),
                (
                    "agent",
                    models.CharField(help_text="the User-Agent, cut and without control characters", max_length=200),
                ),
                ("begun_at", models.DateTimeField()),
                ("seen_at", models.DateTimeField(help_text="to within a minute")),
                (
                    "member",
                    models.ForeignKey(
                        help_text="null: nobody is signed in",
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "session",
                "verbose_name_plural": "sessions",
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="StaffLetter",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("written_at", models.DateTimeField()),
                ("tries", models.PositiveIntegerField(default=0)),
                ("next_try_at", models.DateTimeField(help_text="null: sent or given up", null=True)),
                ("sent_at", models.DateTimeField(null=True)),
                ("last_error", models.CharField(default="", max_length=100)),
                ("kind", models.CharField(max_length=32)),
                (
                    "inviter",
                    models.ForeignKey(
                        help_text="null: the host, or no invitation",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("member", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to=settings.AUTH_USER_MODEL)),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("next_try_at__isnull", False)),
                        fields=["next_try_at"],
                        name="staff_letter_due",
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["invitation", "forgotten password", "password changed"])),
                        name="staff_letter_kind",
                    )
                ],
            },
        ),
    ]
