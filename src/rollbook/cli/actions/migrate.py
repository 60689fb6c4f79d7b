"""Runs ``rollbook migrate``."""

from argparse import Namespace

from django.db import connection

from rollbook.accounts import installation_id
from rollbook.cli.errors import OK
from rollbook.cli.unusable_database import reporting_unusable_database
from rollbook.db import schema_version
from rollbook.db.diagnosis import require_version


def migrate(arguments: Namespace) -> int:
    """Apply the pending migrations, or only print them."""
    with reporting_unusable_database():
        installation_id.require_database_of_used_folder()
        if arguments.plan and installation_id.is_database_empty():
            print("The database is empty; all tables would be created.")
            return OK
        require_version(connection)
        schema_version.require_not_newer()
        pending = schema_version.pending_migrations()
        if not arguments.plan:
            schema_version.migrate_if_needed()
            installation_id.verify()
    for name in pending:
        print(name)
    if not pending:
        print("The database is of this version; there is nothing to do.")
    return OK
