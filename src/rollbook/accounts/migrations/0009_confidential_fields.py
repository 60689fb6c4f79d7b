from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

SEE, CONFIDENTIAL, UPDATE = "see students", "see confidential fields", "update students"


def add_permissions(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Add to existing roles what they could do so far, except for instructors.

    People who may update students could always download all of them, so their roles, on which
    nightly scripts depend, now say that they see students. Everyone who saw students also saw
    confidential fields; instructors no longer do until their district turns that on.
    """
    for role in apps.get_model("accounts", "Role").objects.iterator():
        permissions = [*role.permissions]
        if SEE not in permissions and UPDATE in permissions:
            permissions.append(SEE)
        if SEE in permissions and role.type != "instructor" and CONFIDENTIAL not in permissions:
            permissions.append(CONFIDENTIAL)
        if permissions != role.permissions:
            role.permissions = permissions
            role.save(update_fields=["permissions"])


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0008_students_seen"),
    ]

    operations = [
        migrations.RunPython(add_permissions, migrations.RunPython.noop),
    ]
