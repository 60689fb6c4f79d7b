"""What is done once at each start, before anybody is served."""

import logging

from django.db import connection, connections

from rollbook.accounts import key_fingerprints
from rollbook.db import schema_version
from rollbook.db.diagnosis import require_version
from rollbook.updates.receiving import receive

log = logging.getLogger(__name__)


def prepare() -> None:
    """Bring the database up to this version, and remove what uploads that were cut off have left behind.

    Raises NewerDatabase and OtherKeys.
    """
    require_version(connection)
    schema_version.migrate_if_needed()
    key_fingerprints.verify_keys()
    swept = receive.remove_orphaned_files()
    if swept:
        log.info("removed %d files of uploads that were cut off", swept)
    connections.close_all()  # the supervisor has no more business with the database
