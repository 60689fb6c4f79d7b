"""What is done once at each start, before anybody is served."""

import logging

from django.core.management import call_command
from django.db import connections

from rollbook.updates import receive

log = logging.getLogger(__name__)


def prepare() -> None:
    """Bring the database up to this version, and remove what uploads that were cut off have left behind."""
    call_command("migrate", verbosity=0, interactive=False)
    swept = receive.sweep()
    if swept:
        log.info("removed %d files of uploads that were cut off", swept)
    connections.close_all()  # the supervisor has no more business with the database
