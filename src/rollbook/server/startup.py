"""What is done once at each start, before the web server and the worker start."""

import logging
import threading
from collections.abc import Callable

from django.conf import settings
from django.db import connection, connections

from rollbook import cookie_parser
from rollbook.accounts import installation_id, key_fingerprints
from rollbook.accounts.models import Member
from rollbook.db import schema_version, schema_watch
from rollbook.db.diagnosis import require_version
from rollbook.db.migrating import migrate_if_needed, migration_lock
from rollbook.db.schema_version import DatabaseIsOlder
from rollbook.updates.receiving import receive

UNUSED = "nobody has an account yet; add a district and its manager with `rollbook init`"

log = logging.getLogger(__name__)


def prepare() -> bool:
    """Migrate the database to this version if this process may, and get everything ready.

    Returns:
        False if nothing could be done because another command has to migrate the database first.

    Raises:
        DatabaseIsNewer: A newer version of Rollbook has used the database.
        MigrationFailed: The database couldn't be migrated.
        WrongDatabase: The database doesn't belong to the data folder.
        KeysDoNotMatch: The database has been used with other keys.
    """
    installation_id.require_database_of_used_folder()
    if settings.MIGRATES_AT_START:
        with migration_lock():
            require_version(connection)
            migrate_if_needed()
    else:
        require_version(connection)
        installation_id.create_tables_if_unused()
    try:
        schema_version.require_current()
    except DatabaseIsOlder:
        return False  # the web server and the worker wait
    finally:
        connections.close_all()
    complete()
    return True


def complete() -> None:
    """Do what needs a database of this version; the same as ``prepare`` does at its end.

    Raises:
        WrongDatabase: The database doesn't belong to the data folder.
        KeysDoNotMatch: The database has been used with other keys.
    """
    installation_id.verify()
    key_fingerprints.verify_keys()
    removed_files = receive.remove_orphaned_files()
    if removed_files:
        log.info("removed %d files of interrupted uploads", removed_files)
    if problem := cookie_parser.find_problem():
        log.warning("%s; %s", problem, cookie_parser.FIX)
    if not Member.objects.exists():
        log.warning(UNUSED)
    connections.close_all()  # the supervisor doesn't use the database afterward


def wait_until_ready(stop: threading.Event, report: Callable[[], None]) -> None:
    """Wait until the database is of this version, then complete the start.

    Args:
        stop: Ends the waiting.
        report: Called every few seconds meanwhile, so that nobody takes this process for frozen.

    Raises:
        DatabaseIsNewer: A newer version of Rollbook has changed the database.
        WrongDatabase: The database doesn't belong to the data folder.
        KeysDoNotMatch: The database has been used with other keys.
    """
    if schema_watch.wait_until_current(stop, report) and not stop.is_set():
        complete()
