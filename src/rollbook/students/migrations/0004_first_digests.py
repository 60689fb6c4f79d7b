"""Students who are there already have an empty digest, until their next row is accepted."""

from django.db import migrations

FILL = """
INSERT INTO roster_rowdigest (student_id, district_id, digest, edition)
SELECT id, district_id, NULL, 0 FROM roster_student"""


class Migration(migrations.Migration):
    dependencies = [("roster", "0003_digests")]
    operations = [migrations.RunSQL(FILL, migrations.RunSQL.noop)]
