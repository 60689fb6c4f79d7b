"""The interface of the engine that processes updates; ``rollbook.jobs`` sets it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from threading import Event
from typing import Protocol


@dataclass(frozen=True)
class WorkerStatus:
    """The state of the workers.

    Attributes:
        alive: Whether a worker is running.
        at: When a worker last sent a heartbeat; None if there has been none.
    """

    alive: bool
    at: datetime | None


class Engine(Protocol):
    """Decides which process works on an update, and when. Both implementations are modules."""

    def notify_engine(self, update_id: int) -> None:
        """Report, in the transaction that caused it, that there is work to do for an update."""

    def worker_status(self) -> WorkerStatus:
        """Return whether a worker is running."""

    def work(self, stop: Event, concurrency: int = 1) -> None:
        """Do all work that is due until ``stop`` is set, on ``concurrency`` updates at a time."""

    def work_on(self, update_id: int, watch: Callable[[], None]) -> None:
        """Return when the update has ended, whichever process does the work.

        Args:
            update_id: The ID of the update.
            watch: Is called several times a second meanwhile.
        """


_load: Callable[[], Engine] | None = None


def set_engine(load: Callable[[], Engine]) -> None:
    """Set the function that returns the engine.

    It is called when the engine is first needed: most commands never import one.
    """
    global _load
    _load = load


def engine() -> Engine:
    """Return the engine.

    Raises:
        RuntimeError: None is set, because Django is not set up.
    """
    if _load is None:
        raise RuntimeError("no engine is set; the app rollbook.jobs sets it when Django starts")
    return _load()
