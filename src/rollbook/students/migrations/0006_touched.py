import django.db.models.deletion
from django.db import migrations, models

from rollbook.db.migration_operations import on_postgresql

LOCK_FIRST = "LOCK TABLE students_rowfingerprint, students_student IN ACCESS EXCLUSIVE MODE"
"""Writers of an earlier release lock them in this order."""

COPY_VERSIONS = """
UPDATE students_student SET version = known.student_version
FROM students_rowfingerprint AS known
WHERE known.student_id = students_student.id AND known.student_version > 0"""

OLD_TRIGGERS = (
    "clear_fingerprint_group_link_removed",
    "clear_fingerprint_group_renamed",
    "clear_fingerprint_member_renamed",
    "clear_fingerprint_school_renamed",
    "clear_fingerprint_staff_link_removed",
)

# For processes of an earlier release, which may run for some seconds after the migration: they find
# no fingerprint, so they compare each row, and they read, lock and count up the version where it is
# now. The next release drops the view and its function. On SQLite no such process can be running,
# and without the table, one that was forgotten can't write.
VIEW = (
    """
CREATE VIEW students_rowfingerprint AS
SELECT id AS student_id, district_id, NULL::bigint AS fingerprint, version AS student_version
FROM students_student""",
    """
CREATE FUNCTION students_rowfingerprint_written() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    RETURN OLD;
  END IF;
  IF TG_OP = 'UPDATE' AND NEW.student_version <> OLD.student_version THEN
    UPDATE students_student SET version = NEW.student_version WHERE id = OLD.student_id;
  END IF;
  RETURN NEW;
END $$""",
    """
CREATE TRIGGER students_rowfingerprint_written
INSTEAD OF INSERT OR UPDATE OR DELETE ON students_rowfingerprint
FOR EACH ROW EXECUTE FUNCTION students_rowfingerprint_written()""",
)


class Migration(migrations.Migration):
    """Keep the version in the student's row, and touched students in place of fingerprints."""

    dependencies = [
        ("districts", "0001_initial"),
        ("students", "0005_inactive"),
    ]

    operations = [
        migrations.RunPython(on_postgresql(LOCK_FIRST), migrations.RunPython.noop),
        migrations.AddField(
            model_name="student",
            name="version",
            field=models.PositiveIntegerField(
                db_default=0, default=0, help_text="how often the student has changed"
            ),
        ),
        migrations.RunSQL(COPY_VERSIONS, migrations.RunSQL.noop),
        # On SQLite, all triggers are dropped before a migration.
        migrations.RunPython(
            on_postgresql(*(f"DROP FUNCTION IF EXISTS {name}() CASCADE" for name in OLD_TRIGGERS)),
            migrations.RunPython.noop,
        ),
        migrations.DeleteModel(name="RowFingerprint"),
        migrations.RunPython(on_postgresql(*VIEW), migrations.RunPython.noop),
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
