import django.db.models.functions.datetime
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0012_sign_in"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="accountmail",
            name="account_mail_kind",
        ),
        migrations.AddField(
            model_name="member",
            name="added_at",
            field=models.DateTimeField(
                db_default=django.db.models.functions.datetime.Now(),
                default=django.utils.timezone.now,
                help_text="or when Rollbook began to store it",
            ),
        ),
        migrations.AddField(
            model_name="member",
            name="deactivated_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="member",
            name="erased_at",
            field=models.DateTimeField(
                help_text="when the name and email were erased; the row stays for the history",
                null=True,
            ),
        ),
        migrations.AddConstraint(
            model_name="accountmail",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "kind__in",
                        [
                            "invitation",
                            "forgotten password",
                            "password changed",
                            "email changed",
                            "two-step verification on",
                            "two-step verification off",
                            "token created",
                            "security notice",
                            "unused accounts",
                        ],
                    )
                ),
                name="account_mail_kind",
            ),
        ),
    ]
