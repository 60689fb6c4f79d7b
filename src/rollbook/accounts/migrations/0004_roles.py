"""Roles are rows of a district, each member has one of them; letters may go to an address that a member had before."""

from typing import Any

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from rollbook.db.collation import set_c_collation
from rollbook.students.fingerprint_triggers import fingerprint_triggers

_TYPES = ["district manager", "school manager", "instructor"]
_GRANTED = {
    "district manager": ["see students", "update students", "manage staff", "manage roles"],
    "school manager": ["see students", "manage staff"],
    "instructor": ["see students"],
}


def give_roles(apps: Any, schema_editor: Any) -> None:
    """The standard role that the member's was the name of."""
    member, role = apps.get_model("staff", "Member"), apps.get_model("staff", "Role")
    for district, name in member.objects.values_list("district", "role_name").distinct().order_by("district"):
        facts = {"name": name, "name_key": name, "permissions": _GRANTED[name]}
        standard = role.objects.create(district_id=district, type=name, is_standard=True, **facts)
        member.objects.filter(district=district, role_name=name).update(role=standard)


def make_triggers_again(apps: Any, schema_editor: Any) -> None:
    """SQLite has made the table of members anew, without its trigger."""
    if schema_editor.connection.vendor == "sqlite":
        for statement in fingerprint_triggers("sqlite"):
            if "digests_member_renamed" in statement:
                schema_editor.execute("DROP TRIGGER IF EXISTS digests_member_renamed")
                schema_editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("roster", "0004_first_digests"), ("staff", "0003_sessions_letters_schools")]

    operations = [
        migrations.CreateModel(
            name="Role",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("type", models.CharField(max_length=32)),
                ("name", models.CharField(max_length=60)),
                ("name_key", models.CharField(help_text="the name as it is compared", max_length=180)),
                ("description", models.CharField(default="", max_length=200)),
                (
                    "permissions",
                    models.JSONField(default=list, help_text="the names of those that are switched on"),
                ),
                ("is_standard", models.BooleanField(default=False)),
                ("district", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to="roster.district")),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("type__in", _TYPES)), name="role_type"),
                    models.UniqueConstraint(fields=("district", "name_key"), name="role_name"),
                    models.UniqueConstraint(
                        condition=models.Q(("is_standard", True)), fields=("district", "type"), name="standard_role"
                    ),
                ],
            },
        ),
        migrations.RunPython(set_c_collation("staff.Role"), migrations.RunPython.noop),
        migrations.RemoveConstraint(model_name="member", name="member_role"),
        migrations.RenameField(model_name="member", old_name="role", new_name="role_name"),
        migrations.AddField(
            model_name="member",
            name="role",
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, to="staff.role"),
        ),
        migrations.RunPython(give_roles, migrations.RunPython.noop),
        migrations.AlterField(
            model_name="member",
            name="role",
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to="staff.role"),
        ),
        migrations.RemoveField(model_name="member", name="role_name"),
        migrations.RunPython(make_triggers_again, migrations.RunPython.noop),
        migrations.AddField(
            model_name="staffletter",
            name="to",
            field=models.CharField(default="", help_text="an address that the member had before", max_length=254),
        ),
        migrations.AlterField(
            model_name="staffletter",
            name="inviter",
            field=models.ForeignKey(
                help_text="or who changed something; null: the host, or the member",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.RemoveConstraint(model_name="staffletter", name="staff_letter_kind"),
        migrations.AddConstraint(
            model_name="staffletter",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("kind__in", ["invitation", "forgotten password", "password changed", "e-mail changed"])
                ),
                name="staff_letter_kind",
            ),
        ),
    ]
