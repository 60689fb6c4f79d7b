"""Run updates and periodic tasks by one of two engines, depending on the database.

``updates/engine.py`` defines their interface.
"""

from collections.abc import Callable
from threading import Event

from django.conf import settings

from rollbook.updates.engine import Engine


def selected() -> Engine:
    """Return the engine: that of many workers on PostgreSQL, of a single one on SQLite.

    Only the engine in use is imported: Procrastinate requires PostgreSQL's driver.
    """
    if settings.ON_POSTGRESQL:
        from rollbook.jobs.many_workers import worker

        return worker
    from rollbook.jobs.single_worker import loop

    return loop


def work(stop: Event, concurrency: int = 1) -> None:
    """Do all work that is due until ``stop`` is set, on ``concurrency`` updates at a time."""
    selected().work(stop, concurrency)


def work_on(update_id: int, watch: Callable[[], None]) -> None:
    """Return when the update has ended, whichever process does the work.

    Args:
        update_id: The ID of the update.
        watch: Is called several times a second meanwhile.
    """
    selected().work_on(update_id, watch)
