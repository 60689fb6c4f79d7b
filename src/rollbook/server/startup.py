"""What is done once at each start, before the web server and the worker start."""

import logging

from django.db import connection, connections

from rollbook.accounts import installation_id, key_fingerprints
from rollbook.db import schema_version
from rollbook.db.diagnosis import require_version
from rollbook.updates.receiving import receive

log = logging.getLogger(__name__)


def prepare() -> None:
    """Migrate the database to this version and remove files of interrupted uploads.

    Raises:
        DatabaseIsNewer: A newer version of Rollbook has used the database.
        WrongDatabase: The database doesn't belong to the data folder.
        KeysDoNotMatch: The database has been used with other keys.
    """
    installation_id.require_database_of_used_folder()
    require_version(connection)
    schema_version.migrate_if_needed()
    installation_id.verify()
    key_fingerprints.verify_keys()
    removed_files = receive.remove_orphaned_files()
    if removed_files:
        log.info("removed %d files of interrupted uploads", removed_files)
    connections.close_all()  # the supervisor doesn't use the database afterward
