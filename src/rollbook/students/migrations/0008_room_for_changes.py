"""PostgreSQL leaves room beside each student, so that a change stays on its page and no index hears of it.

Pages that are full already stay so until their students have changed once; docs/decisions/databases.md has the figures.
"""

from django.db import migrations

from rollbook.db.only_on import on_postgresql

leave_room = on_postgresql(
    "ALTER TABLE roster_student SET (fillfactor = 50)",
    "ALTER TABLE roster_rowdigest SET (fillfactor = 50)",
)


class Migration(migrations.Migration):
    dependencies = [("roster", "0007_digests_without_index")]

    operations = [migrations.RunPython(leave_room, migrations.RunPython.noop)]
