from django.db import migrations, models
from django.db.models import F
from django.db.models.functions import Lower


class Migration(migrations.Migration):
    dependencies = [
        ("students", "0007_absence"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="student",
            index=models.Index(
                F("district"),
                Lower("last_name"),
                Lower("first_name"),
                F("id"),
                name="student_list_order",
            ),
        ),
    ]
