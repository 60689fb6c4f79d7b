"""Seals over audit events; what is sealed the database does not let anybody change."""

import django.db.models.deletion
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

_REFUSAL = "audit events are sealed"
_TRIGGERS = {
    "sqlite": (
        "CREATE TRIGGER audit_sealed_update BEFORE UPDATE ON staff_auditevent WHEN OLD.seal_id IS NOT NULL "
        f"BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END",
        "CREATE TRIGGER audit_sealed_delete BEFORE DELETE ON staff_auditevent WHEN OLD.seal_id IS NOT NULL "
        f"BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END",
    ),
    "postgresql": (
        f"CREATE FUNCTION audit_sealed() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"RAISE EXCEPTION '{_REFUSAL}' USING ERRCODE = 'restrict_violation'; END $$",
        "CREATE TRIGGER audit_sealed BEFORE UPDATE OR DELETE ON staff_auditevent FOR EACH ROW "
        "WHEN (OLD.seal_id IS NOT NULL) EXECUTE FUNCTION audit_sealed()",
    ),
}


def make_triggers(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    for statement in _TRIGGERS[schema_editor.connection.vendor]:
        schema_editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("staff", "0004_roles")]

    operations = [
        migrations.CreateModel(
            name="AuditSeal",
            fields=[
                ("number", models.PositiveIntegerField(primary_key=True, serialize=False)),
                ("events", models.PositiveIntegerField(help_text="how many are under it")),
                ("at", models.DateTimeField()),
                ("digest", models.CharField(max_length=64)),
            ],
        ),
        migrations.AddField(
            model_name="auditevent",
            name="seal",
            field=models.ForeignKey(
                help_text="null: not sealed yet",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                to="staff.auditseal",
            ),
        ),
        migrations.AddIndex(
            model_name="auditevent",
            index=models.Index(fields=["district", "at"], name="audit_by_district"),
        ),
        migrations.RunPython(make_triggers, migrations.RunPython.noop),
    ]
