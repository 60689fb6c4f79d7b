import django.db.models.deletion
from django.db import migrations, models

from rollbook.db.migration_operations import on_postgresql

OLD_TRIGGERS = {
    "clear_fingerprint_group_link_removed",
    "clear_fingerprint_staff_link_removed",
    "clear_fingerprint_group_renamed",
    "clear_fingerprint_member_renamed",
    "clear_fingerprint_school_renamed",
}


class Migration(migrations.Migration):
    """Keep which students were touched in place of a fingerprint for each student."""

    dependencies = [
        ("districts", "0001_initial"),
        ("students", "0005_version"),
    ]

    operations = [
        # On SQLite, all triggers are dropped before a migration.
        migrations.RunPython(
            on_postgresql(
                *(f"DROP FUNCTION IF EXISTS {name}() CASCADE" for name in sorted(OLD_TRIGGERS))
            ),
            migrations.RunPython.noop,
        ),
        migrations.DeleteModel(name="RowFingerprint"),
        migrations.CreateModel(
            name="TouchedStudent",
            fields=[
                ("student_id", models.BigIntegerField(primary_key=True, serialize=False)),
                (
                    "version",
                    models.PositiveIntegerField(help_text="of the student, when it changed last"),
                ),
                (
                    "settled_by",
                    models.BigIntegerField(
                        help_text=(
                            "the ID of the update whose row is what the student is now; null: none"
                        ),
                        null=True,
                    ),
                ),
                (
                    "district",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="districts.district",
                    ),
                ),
            ],
            options={
                "db_table": "students_touched",
                "indexes": [models.Index(fields=["district"], name="touched_district")],
            },
        ),
        # A settled student then stays on its page, so no index has to be updated.
        migrations.RunPython(
            on_postgresql("ALTER TABLE students_touched SET (fillfactor = 40)"),
            migrations.RunPython.noop,
        ),
    ]
