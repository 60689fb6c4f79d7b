"""Check the conditions of alerts every minute, in the worker and in each web server."""

import logging
import threading

from django.conf import settings
from django.db import Error, connections
from django.utils import timezone

from rollbook.accounts.audit import head
from rollbook.operations.alerts import mails, ping
from rollbook.operations.alerts.evaluate import evaluate

CHECK_INTERVAL_S = 60.0
DATABASE_CODE = "database"
MIN_DATABASE_ERRORS = 3
"""Checks in a row that must fail before the ping URL is requested; a restart takes less."""

log = logging.getLogger(__name__)


def check() -> int:
    """Check all conditions, send the emails that are due, and request the ping URL if it is due.

    The newest seal of the audit log is kept outside the database, too.

    Returns:
        0: there is no more work until the next interval.
    """
    now = timezone.now()
    problem = head.keep_newest()
    evaluate(now)
    if not problem:
        mails.queue_newest_seal(now)
    mails.send_due()
    mails.purge(now)
    ping.send_if_due(now)
    return 0


def watch_until(stop: threading.Event) -> None:
    """Check every ``CHECK_INTERVAL_S`` until ``stop`` is set; an error only skips one check.

    Without the database, nothing can be queued or agreed upon with other processes, but the ping
    URL can be requested.
    """
    errors = 0
    while not stop.wait(CHECK_INTERVAL_S):
        try:
            check()
            errors = 0
        except Error:
            errors += 1
            log.warning("alerts cannot be checked without the database", exc_info=True)
            if errors >= MIN_DATABASE_ERRORS and settings.PING_URL:
                ping.send([DATABASE_CODE])
        except Exception:
            log.exception("alerts cannot be checked")
        finally:
            connections.close_all()


def start_in_web_server() -> None:
    """Start a thread that checks until the process ends."""
    never = threading.Event()
    threading.Thread(target=watch_until, args=(never,), name="alerts", daemon=True).start()
