from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps


def invited_members_hold_no_login(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Free the emails of those who have not accepted their invitation, in other districts."""
    members = apps.get_model("accounts", "Member").objects
    unusable = models.Q(("password__startswith", "!"))
    members.filter(unusable).update(holds_login=False)


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0006_seal_time"),
        ("districts", "0003_lifecycle"),
    ]

    operations = [
        migrations.AddField(
            model_name="member",
            name="holds_login",
            field=models.BooleanField(
                db_default=True,
                default=True,
                help_text="whether the member signs in with the email",
            ),
        ),
        migrations.AddConstraint(
            model_name="member",
            constraint=models.UniqueConstraint(fields=("district", "email"), name="member_email"),
        ),
        migrations.AddConstraint(
            model_name="member",
            constraint=models.UniqueConstraint(
                condition=models.Q(("holds_login", True)), fields=("email",), name="member_login"
            ),
        ),
        migrations.AlterField(
            model_name="member",
            name="email",
            field=models.CharField(max_length=254),
        ),
        migrations.RunPython(invited_members_hold_no_login, migrations.RunPython.noop),
    ]
