"""What a district settles for itself: the second factor, and how long what is kept where.

SQLite makes the table of districts anew. No trigger stands on it, and none that stands elsewhere names it.
"""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("roster", "0005_transfers")]

    operations = [
        migrations.AddField(
            model_name="district",
            name="requires_second_factor",
            field=models.BooleanField(default=False, help_text="of every member who signs in"),
        ),
        migrations.AddField(
            model_name="district",
            name="files_kept_days",
            field=models.PositiveSmallIntegerField(default=14, help_text="after the end of the file's update"),
        ),
        migrations.AddField(
            model_name="district",
            name="details_kept_days",
            field=models.PositiveSmallIntegerField(
                default=90, help_text="rows and problems, after the end of their update"
            ),
        ),
        migrations.AddField(
            model_name="district",
            name="audit_kept_years",
            field=models.PositiveSmallIntegerField(default=7),
        ),
        migrations.AddConstraint(
            model_name="district",
            constraint=models.CheckConstraint(
                condition=models.Q(("files_kept_days__range", (1, 365))), name="district_files_kept"
            ),
        ),
        migrations.AddConstraint(
            model_name="district",
            constraint=models.CheckConstraint(
                condition=models.Q(("details_kept_days__range", (7, 1095))), name="district_details_kept"
            ),
        ),
        migrations.AddConstraint(
            model_name="district",
            constraint=models.CheckConstraint(
                condition=models.Q(("audit_kept_years__range", (1, 7))), name="district_audit_kept"
            ),
        ),
    ]
