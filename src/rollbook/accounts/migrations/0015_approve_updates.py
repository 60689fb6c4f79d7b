from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

UPDATE, APPROVE = "update students", "approve updates"


def add_permission(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Let the standard role of district managers approve updates, if it may update students.

    Other roles get the permission when their district turns it on.
    """
    roles = apps.get_model("accounts", "Role").objects
    for role in roles.filter(type="district manager", is_standard=True).iterator():
        if UPDATE in role.permissions and APPROVE not in role.permissions:
            role.permissions = [*role.permissions, APPROVE]
            role.save(update_fields=["permissions"])


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0014_file_mails"),
    ]

    operations = [
        migrations.RunPython(add_permission, migrations.RunPython.noop),
    ]
