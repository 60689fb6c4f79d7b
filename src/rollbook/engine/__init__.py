"""Who calls the work, and when: one of two engines, as ``settings.ENGINE`` names it.

What ``updates`` needs of an engine stands in ``updates/running.py``; here is what the command needs.
"""

from collections.abc import Callable
from importlib import import_module
from threading import Event

from django.conf import settings


def work(stop: Event, concurrency: int = 1) -> None:
    """Do whatever is due until told to stop, so many updates at a time."""
    import_module(settings.ENGINE).work(stop, concurrency)


def work_on(update_id: int, watch: Callable[[], None]) -> None:
    """See this update through, whoever does the work; ``watch`` is called often."""
    import_module(settings.ENGINE).work_on(update_id, watch)
