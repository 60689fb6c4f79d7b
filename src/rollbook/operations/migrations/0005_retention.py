from django.db import migrations, models

from rollbook.db.migration_operations import set_c_collation


class Migration(migrations.Migration):
    dependencies = [
        ("operations", "0004_audit_mail"),
    ]

    operations = [
        migrations.AddField(
            model_name="destruction",
            name="person_keys",
            field=models.JSONField(
                db_default=models.Value([], models.JSONField()),
                default=list,
                help_text="their primary keys",
            ),
        ),
        migrations.AddField(
            model_name="destruction",
            name="persons",
            field=models.CharField(
                db_default="",
                default="",
                help_text="students or staff, if retention erased several; then it isn't a district",
                max_length=16,
            ),
        ),
        migrations.RunPython(set_c_collation("operations.Destruction"), migrations.RunPython.noop),
    ]
