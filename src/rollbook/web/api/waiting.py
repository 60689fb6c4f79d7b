"""Let a caller of ``status`` wait for the end of an update instead of asking again and again."""

import threading
import time

from django.db import connection

from rollbook.districts.models import District
from rollbook.updates import runner
from rollbook.updates.reporting.report import current_update, find

MAX_WAITING_CALLERS = 8
"""Callers that may wait in one process; the others are answered at once, and may ask again."""

POLL_INTERVAL_S = 0.5

_places = threading.BoundedSemaphore(MAX_WAITING_CALLERS)


def wait_for_end(district: District, number: int | None, seconds: int) -> None:
    """Return when no work is left for an update, or after some seconds.

    A plan that waits for a person ends the waiting, too. No connection to the database is kept
    in between: there may be fewer of them than callers.

    Args:
        district: The district.
        number: The number of the update; None: the current one.
        seconds: How long to wait at most.
    """
    update = current_update(district) if number is None else find(district, number)
    if update is None or not _places.acquire(blocking=False):
        return
    try:
        deadline = time.monotonic() + seconds
        while runner.has_work(update.pk) and (left := deadline - time.monotonic()) > 0:
            if not connection.in_atomic_block:
                connection.close()
            time.sleep(min(POLL_INTERVAL_S, left))
    finally:
        _places.release()
