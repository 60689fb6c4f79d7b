"""PostgreSQL leaves room beside each student, so that a change stays on its page and no index hears of it.

Pages that are full already stay so until their students have changed once; docs/decisions/databases.md has the figures.
"""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps


def leave_room(apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    """SQLite changes a row where it stands."""
    if editor.connection.vendor == "postgresql":
        for table in ("roster_student", "roster_rowdigest"):
            editor.execute(f"ALTER TABLE {table} SET (fillfactor = 50)")


class Migration(migrations.Migration):
    dependencies = [("roster", "0007_digests_without_index")]

    operations = [migrations.RunPython(leave_room, migrations.RunPython.noop)]
