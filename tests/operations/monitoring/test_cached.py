"""Results that are computed at most every few seconds."""

import threading
import time
from collections.abc import Callable

import pytest

from rollbook.operations.monitoring.cached import Cached, StillComputing
from tests.patience import TIMEOUT_S


def counting() -> Callable[[], int]:
    """Return a function that returns how often it has been called."""
    calls: list[None] = []

    def count() -> int:
        calls.append(None)
        return len(calls)

    return count


def test_it_is_computed_again_only_when_it_is_too_old(monkeypatch: pytest.MonkeyPatch) -> None:
    cached = Cached(counting(), max_age_s=2.0)
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now)
    assert [cached.get(), cached.get()] == [1, 1]
    now += 1.9
    assert cached.get() == 1
    now += 0.2
    assert cached.get() == 2
    cached.clear()
    assert cached.get() == 3


def test_an_error_is_raised_and_the_next_call_computes_again() -> None:
    errors = [KeyError("once")]

    def compute() -> str:
        if errors:
            raise errors.pop()
        return "ok"

    cached = Cached(compute, max_age_s=2.0)
    with pytest.raises(KeyError):
        cached.get()
    assert cached.get() == "ok"


class Slow:
    """A function that takes until it is released."""

    def __init__(self) -> None:
        self.has_begun, self.may_end = threading.Event(), threading.Event()
        self.calls = 0

    def __call__(self) -> int:
        self.calls += 1
        self.has_begun.set()
        assert self.may_end.wait(TIMEOUT_S)
        return self.calls


def test_others_do_not_wait_for_a_slow_computation() -> None:
    slow = Slow()
    cached = Cached(slow, max_age_s=0.0, max_wait_s=0.05)
    first = threading.Thread(target=cached.get)
    first.start()
    assert slow.has_begun.wait(TIMEOUT_S)
    with pytest.raises(StillComputing):
        cached.get()
    slow.may_end.set()
    first.join(TIMEOUT_S)
    slow.has_begun.clear()
    slow.may_end.clear()
    second = threading.Thread(target=cached.get)
    second.start()
    assert slow.has_begun.wait(TIMEOUT_S)
    assert cached.get() == 1
    slow.may_end.set()
    second.join(TIMEOUT_S)
    assert slow.calls == 2


def test_many_at_once_compute_once() -> None:
    slow = Slow()
    cached = Cached(slow, max_age_s=60.0, max_wait_s=TIMEOUT_S)
    results: list[int] = []
    threads = [threading.Thread(target=lambda: results.append(cached.get())) for _ in range(8)]
    for thread in threads:
        thread.start()
    assert slow.has_begun.wait(TIMEOUT_S)
    slow.may_end.set()
    for thread in threads:
        thread.join(TIMEOUT_S)
    assert results == [1] * 8
