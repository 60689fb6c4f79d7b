from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("operations", "0003_alerts"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="alertmail",
            name="alert_mail_event",
        ),
        migrations.AddConstraint(
            model_name="alertmail",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("event__in", ["opened", "reminder", "resolved", "test", "audit"])
                ),
                name="alert_mail_event",
            ),
        ),
    ]
