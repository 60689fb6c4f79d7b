"""PostgreSQL compares dates with dates only, and it is told to compare texts as SQLite does."""

from django.db import migrations, models

from rollbook.db.collation import set_c_collation

MODELS = (
    "roster.District",
    "roster.School",
    "roster.Group",
    "roster.Student",
    "roster.Change",
    "staff.Member",
    "updates.Row",
)


class Migration(migrations.Migration):
    dependencies = [
        ("roster", "0002_initial"),
        ("staff", "0001_initial"),
        ("updates", "0002_moves"),
    ]
    operations = [
        migrations.AlterField("row", "takes_dob", models.DateField(null=True)),
        migrations.RunPython(set_c_collation(*MODELS), migrations.RunPython.noop),
    ]
