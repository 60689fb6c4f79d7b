"""Runs ``rollbook adopt``."""

from argparse import Namespace

from django.conf import settings
from django.db import connection
from django.utils import timezone

from rollbook.accounts import installation_id
from rollbook.accounts.audit import head
from rollbook.cli.errors import OK
from rollbook.cli.unusable_database import reporting_unusable_database
from rollbook.db import schema_version
from rollbook.db.diagnosis import require_version


def adopt(arguments: Namespace) -> int:
    """Write the ID of the database into the data folder, and accept its audit log."""
    with reporting_unusable_database():
        installation_id.create_tables_if_unused()
        require_version(connection)
        schema_version.require_current()
        if installation_id.adopt_moved():
            print("This database is used again; what has changed in the other one is not in it.")
    if installation_id.adopt():
        print(f"{settings.DATA} already belongs to this database.")
    else:
        print(f"{settings.DATA} belongs to this database from now on.")
    if head.accept(timezone.now()):
        print("The audit log is accepted as it is now, which was recorded in it.")
    return OK
