"""Results that are computed at most every few seconds, however often they are requested."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

T = TypeVar("T")


class StillComputing(Exception):
    """Another thread has been computing the result for too long."""


@dataclass
class Cached(Generic[T]):
    """The result of a function for all threads of this process.

    While one thread computes it, the others get the previous result at once. If there is none, or
    it is too old, they wait for a moment.

    Attributes:
        compute: Computes the result.
        max_age_s: Seconds for which a result is returned without computing it again.
        max_stale_s: Seconds for which it is returned while it is being computed again.
        max_wait_s: Seconds that a thread waits for another one.
    """

    compute: Callable[[], T]
    max_age_s: float
    max_stale_s: float = 15.0
    max_wait_s: float = 2.0
    _result: tuple[float, T] | None = field(default=None, init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)

    def get(self) -> T:
        """Return the result.

        Raises:
            StillComputing: Another thread computes it, and there is no result that is new enough.
        """
        if result := self._result_younger_than(self.max_age_s):
            return result[0]
        stale = self._result_younger_than(self.max_stale_s)
        if not self._lock.acquire(timeout=0 if stale else self.max_wait_s):
            if stale:
                return stale[0]
            raise StillComputing
        try:
            if result := self._result_younger_than(self.max_age_s):  # it has just been computed
                return result[0]
            computed = self.compute()
            self._result = (time.monotonic(), computed)
            return computed
        finally:
            self._lock.release()

    def clear(self) -> None:
        """Forget the result."""
        self._result = None

    def _result_younger_than(self, seconds: float) -> tuple[T] | None:
        result = self._result
        if result is None or time.monotonic() - result[0] >= seconds:
            return None
        return (result[1],)
