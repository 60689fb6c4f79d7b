from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("districts", "0004_limits"),
    ]

    operations = [
        migrations.AddField(
            model_name="district",
            name="history_kept_days",
            field=models.PositiveSmallIntegerField(
                db_default=2562,
                default=2562,
                help_text="changes of students; 2,562 days are seven years, as for the audit",
            ),
        ),
        migrations.AddField(
            model_name="district",
            name="history_removed_through",
            field=models.BigIntegerField(
                db_default=0,
                default=0,
                help_text="primary key of the change up to which retention has removed the history",
            ),
        ),
        migrations.AddField(
            model_name="district",
            name="leavers_kept_days",
            field=models.PositiveSmallIntegerField(
                db_default=0,
                default=0,
                help_text="students, after they became inactive; 0: until someone erases them",
            ),
        ),
        migrations.AddField(
            model_name="district",
            name="staff_kept_days",
            field=models.PositiveSmallIntegerField(
                db_default=0,
                default=0,
                help_text="deactivated members, and those who never accepted an invitation; 0: forever",
            ),
        ),
        migrations.AddConstraint(
            model_name="district",
            constraint=models.CheckConstraint(
                condition=models.Q(("history_kept_days__range", (7, 3660))),
                name="district_history_kept",
            ),
        ),
        migrations.AddConstraint(
            model_name="district",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("leavers_kept_days", 0),
                    ("leavers_kept_days__range", (30, 3660)),
                    _connector="OR",
                ),
                name="district_leavers_kept",
            ),
        ),
        migrations.AddConstraint(
            model_name="district",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("staff_kept_days", 0), ("staff_kept_days__range", (30, 3660)), _connector="OR"
                ),
                name="district_staff_kept",
            ),
        ),
    ]
