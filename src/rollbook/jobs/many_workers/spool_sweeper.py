"""The spool folder of each machine, into which no other can look: what is left there is swept by who runs there.

On one machine the loop does it. Among many, each worker and each web server does it for its own folder, so that a copy
of a student file is nowhere for much longer than the file is needed.
"""

import logging
import threading

from django.conf import settings
from django.db import connections

from rollbook.jobs.housekeeping import SWEEP_INTERVAL_S
from rollbook.updates.receiving import receive

PAUSE = SWEEP_INTERVAL_S

log = logging.getLogger(__name__)


def sweep_until(stop: threading.Event) -> None:
    """Every hour until told to stop; a fault waits for the next time."""
    while not stop.wait(PAUSE):
        try:
            receive.remove_orphaned_files()
        except Exception:
            log.warning("the spool folder cannot be swept now", exc_info=True)
        finally:
            connections.close_all()


def sweep_of_a_web_server() -> None:
    """In a thread that ends with its process, where there are many machines."""
    if settings.ON_POSTGRESQL:
        threading.Thread(
            target=sweep_until, args=(threading.Event(),), name="sweeping", daemon=True
        ).start()
