"""What updates need of the engine that runs them. The engine's package sets it when Django starts."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from threading import Event
from typing import Protocol


@dataclass(frozen=True)
class WorkerStatus:
    """Whether a worker is alive, and when one was last seen."""

    alive: bool
    at: datetime | None


class Engine(Protocol):
    """Decides which process works on an update, and when. The two implementations are modules."""

    def notify_engine(self, update_id: int) -> None:
        """Note, in the transaction that made it so, that there is work to do for an update."""

    def worker_status(self) -> WorkerStatus:
        """Return whether a worker is alive."""

    def work(self, stop: Event, concurrency: int = 1) -> None:
        """Do all work that is due until ``stop`` is set, on up to ``concurrency`` updates at a time."""

    def work_on(self, update_id: int, watch: Callable[[], None]) -> None:
        """Return when the update has ended, whichever process does the work; call ``watch`` often."""


_load: Callable[[], Engine] | None = None


def set_engine(load: Callable[[], Engine]) -> None:
    """Set the function that returns the engine.

    It is called when the engine is needed and not before: most commands never import one.
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
