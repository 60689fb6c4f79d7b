"""Runs ``rollbook migrate``."""

from argparse import Namespace

from django.db import connection

from rollbook.accounts import installation_id
from rollbook.accounts.installation_id import WrongDatabase
from rollbook.cli.errors import OK, CommandError
from rollbook.db import schema_version
from rollbook.db.diagnosis import require_version
from rollbook.db.schema_version import DatabaseIsNewer


def migrate(arguments: Namespace) -> int:
    """Apply the pending migrations, or only print them."""
    try:
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
    except WrongDatabase as error:
        raise CommandError("wrong_database", str(error)) from None
    except DatabaseIsNewer as error:
        raise CommandError("newer_database", str(error)) from None
    for name in pending:
        print(name)
    if not pending:
        print("The database is of this version; there is nothing to do.")
    return OK
