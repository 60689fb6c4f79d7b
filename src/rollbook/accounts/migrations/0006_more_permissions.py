"""Editing students and managing groups are permissions of their own; who has the standard role can do both at once."""

from typing import Any

from django.db import migrations

_MORE = ["edit students", "manage groups"]


def give(apps: Any, schema_editor: Any) -> None:
    """Custom roles stay as they are."""
    role = apps.get_model("staff", "Role")
    for standard in role.objects.filter(is_standard=True, type__in=["district manager", "school manager"]):
        standard.permissions = [*standard.permissions, *_MORE]
        standard.save(update_fields=["permissions"])


class Migration(migrations.Migration):
    dependencies = [("staff", "0005_audit_seals")]
    operations = [migrations.RunPython(give, migrations.RunPython.noop)]
