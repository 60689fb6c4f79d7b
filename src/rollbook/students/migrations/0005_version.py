from django.db import migrations, models

COPY_VERSIONS = """
UPDATE students_student SET version = known.student_version
FROM students_rowfingerprint AS known
WHERE known.student_id = students_student.id AND known.student_version > 0"""


class Migration(migrations.Migration):
    """Keep the version of a student in the student's row."""

    dependencies = [
        ("students", "0004_mark_keys"),
    ]

    operations = [
        migrations.AddField(
            model_name="student",
            name="version",
            field=models.PositiveIntegerField(
                db_default=0, default=0, help_text="how often the student has changed"
            ),
        ),
        migrations.RunSQL(COPY_VERSIONS, migrations.RunSQL.noop),
        migrations.AlterField(
            model_name="rowfingerprint",
            name="student_version",
            field=models.PositiveIntegerField(
                default=0, help_text="as of an earlier release; now it is Student.version"
            ),
        ),
    ]
