"""Retention may remove sealed events: as many as their seal says, which is written first, with a digest over the rest.

SQLite makes the table of seals anew; no trigger stands on it. From now on one names it, so a later migration that lets
SQLite make it anew once more must drop that trigger first.
"""

from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

_REFUSAL = "audit events are sealed"
_THERE = "(SELECT count(*) FROM staff_auditevent WHERE seal_id = OLD.seal_id)"
_LEFT = "(SELECT events - forgotten FROM staff_auditseal WHERE number = OLD.seal_id)"
_STATEMENTS = {
    "sqlite": (
        "DROP TRIGGER audit_sealed_delete",
        "CREATE TRIGGER audit_sealed_delete BEFORE DELETE ON staff_auditevent WHEN OLD.seal_id IS NOT NULL "
        f"BEGIN SELECT RAISE(ABORT, '{_REFUSAL}') WHERE NOT coalesce({_THERE} > {_LEFT}, 0); END",
    ),
    "postgresql": (
        "CREATE OR REPLACE FUNCTION audit_sealed() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"IF TG_OP = 'DELETE' AND {_THERE} > {_LEFT} THEN RETURN OLD; END IF; "
        f"RAISE EXCEPTION '{_REFUSAL}' USING ERRCODE = 'restrict_violation'; END $$",
    ),
}


def let_retention_remove(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    for statement in _STATEMENTS[schema_editor.connection.vendor]:
        schema_editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("staff", "0007_second_factor_and_tokens")]

    operations = [
        migrations.AddField(
            model_name="auditseal",
            name="forgotten",
            field=models.PositiveIntegerField(default=0, help_text="how many of them retention has removed"),
        ),
        migrations.AddField(
            model_name="auditseal",
            name="rest_digest",
            field=models.CharField(default="", help_text="once some are: over those that are left", max_length=64),
        ),
        migrations.AlterField(
            model_name="auditseal",
            name="events",
            field=models.PositiveIntegerField(help_text="how many were put under it"),
        ),
        migrations.RunPython(let_retention_remove, migrations.RunPython.noop),
    ]
