"""Second factors with their recovery codes, tokens for scripts, and the letters that tell of both."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from rollbook.db.collation import set_c_collation


class Migration(migrations.Migration):
    dependencies = [("staff", "0006_more_permissions")]

    operations = [
        migrations.CreateModel(
            name="SecondFactor",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "sealed",
                    models.CharField(help_text="the secret, under a key that is not in the database", max_length=255),
                ),
                (
                    "last_step",
                    models.BigIntegerField(help_text="the latest step whose code was taken: each is good once"),
                ),
                ("on_since", models.DateTimeField()),
                (
                    "member",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="second_factor",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="RecoveryCode",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("digest", models.CharField(max_length=64)),
                (
                    "second_factor",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.CASCADE, to="staff.secondfactor"
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("second_factor", "digest"), name="recovery_code")],
            },
        ),
        migrations.CreateModel(
            name="Token",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=60)),
                (
                    "key",
                    models.CharField(
                        help_text="what stands behind rb_, by which it is found", max_length=8, unique=True
                    ),
                ),
                ("digest", models.CharField(max_length=64)),
                ("scopes", models.JSONField(help_text="the commands it is for")),
                ("made_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                ("revoked_at", models.DateTimeField(null=True)),
                ("last_used_at", models.DateTimeField(help_text="to within a minute; null: never", null=True)),
                ("member", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.RunPython(
            set_c_collation("staff.SecondFactor", "staff.RecoveryCode", "staff.Token"), migrations.RunPython.noop
        ),
        migrations.AddField(
            model_name="staffletter",
            name="about",
            field=models.CharField(default="", help_text="the name of what it tells of", max_length=60),
        ),
        migrations.RemoveConstraint(model_name="staffletter", name="staff_letter_kind"),
        migrations.AddConstraint(
            model_name="staffletter",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "kind__in",
                        [
                            "invitation",
                            "forgotten password",
                            "password changed",
                            "e-mail changed",
                            "second factor on",
                            "second factor off",
                            "token made",
                        ],
                    )
                ),
                name="staff_letter_kind",
            ),
        ),
    ]
