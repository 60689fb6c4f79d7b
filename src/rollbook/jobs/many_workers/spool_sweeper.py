"""Sweep the spool folder of this machine, which other machines can't access.

With a single worker, a periodic task does this. With many, each worker and each web server does it
for its own folder, so that no copy of a student file is kept much longer than the file is needed.
"""

import logging
import threading

from django.conf import settings
from django.db import connections

from rollbook.jobs.housekeeping import SWEEP_INTERVAL_S
from rollbook.updates.receiving import receive

log = logging.getLogger(__name__)


def sweep_until(stop: threading.Event) -> None:
    """Sweep every ``SWEEP_INTERVAL_S`` until ``stop`` is set; an error only skips one sweep."""
    while not stop.wait(SWEEP_INTERVAL_S):
        try:
            receive.remove_orphaned_files()
        except Exception:
            log.warning("the spool folder cannot be swept now", exc_info=True)
        finally:
            connections.close_all()


def start_sweeper_of_web_server() -> None:
    """Start a thread that sweeps until the process ends, if there can be many workers."""
    if settings.ON_POSTGRESQL:
        never = threading.Event()
        threading.Thread(target=sweep_until, args=(never,), name="sweeping", daemon=True).start()
