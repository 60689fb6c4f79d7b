"""Who calls the work, and when: one of two engines, by the database.

``updates/engine.py`` defines what each must provide.
"""

from collections.abc import Callable
from threading import Event

from django.conf import settings

from rollbook.updates.engine import Engine


def selected() -> Engine:
    """Return the engine of many workers on PostgreSQL, of one process on SQLite.

    Only the one that is used is imported: Procrastinate needs PostgreSQL's driver.
    """
    if settings.ON_POSTGRESQL:
        from rollbook.jobs.many_workers import worker

        return worker
    from rollbook.jobs.single_worker import loop

    return loop


def work(stop: Event, concurrency: int = 1) -> None:
    """Do all work that is due until ``stop`` is set, on up to ``concurrency`` updates at a time."""
    selected().work(stop, concurrency)


def work_on(update_id: int, watch: Callable[[], None]) -> None:
    """Return when the update has ended, whichever process does the work; call ``watch`` often."""
    selected().work_on(update_id, watch)
