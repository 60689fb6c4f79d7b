"""Apply two neighboring chunks at the same time, on two connections to PostgreSQL.

Each has its own transaction, and they commit in their order. So whatever happens, all rows up to
``applied_through_order`` are applied, and no others, as with one connection.

    1st chunk  simple rows | other rows | foreign keys     | counters, commit
    2nd chunk  simple rows | waits      | other rows       | foreign keys | counters, commit

Simple rows have no order among each other. What depends on other students, such as who holds a key
and which groups there are, isn't looked at in the second chunk before the first one has written its
own. So the first one never waits for the second.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from threading import Event
from typing import Self

from django.db import connection

from rollbook.updates.applying.chunk_plan import PendingRow

MIN_PAIRED_ROWS = 1000
"""Smaller chunks are applied one by one: a new connection costs more than they do."""

PATIENCE_S = 5.0
"""How long the second chunk waits for the first one before it's rolled back.

The first one may wait for somebody who edits a student and waits for the second one. That is less
than ``connections.SESSION_LIMITS`` allows.
"""


class NotCommitted(Exception):
    """The first chunk wasn't committed, or not in time, so the second one is rolled back."""


class ChunkPlace:
    """The place of a chunk among those that are applied at the same time, and how far it is.

    Attributes:
        written: Set when all of its rows are written.
        ended: Set when its transaction has ended.
        is_committed: Whether that was by a commit.
    """

    def __init__(self, before: "ChunkPlace | None" = None) -> None:
        """Take a place.

        Args:
            before: The chunk that is committed before; None for the first one.
        """
        self._before = before
        self.written, self.ended = Event(), Event()
        self.is_committed = False

    def wait_until_written(self) -> None:
        """Wait until the chunk before has written all of its rows.

        Raises:
            NotCommitted: That takes too long.
        """
        if self._before and not self._before.written.wait(PATIENCE_S):
            raise NotCommitted

    def set_written(self) -> None:
        """Let the next chunk write rows that aren't simple."""
        self.written.set()

    def wait_until_committed(self) -> None:
        """Wait until the chunk before is committed.

        Raises:
            NotCommitted: It was rolled back, or that takes too long.
        """
        if self._before:
            self._before.ended.wait(PATIENCE_S)
            if not self._before.is_committed:
                raise NotCommitted

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Let the next chunk know how the transaction inside of this block ended."""
        try:
            yield
            self.is_committed = True
        finally:
            self.ended.set()
            self.written.set()


Work = Callable[[Sequence[PendingRow], ChunkPlace], float]
"""Applies a chunk and commits it; returns how long the commit took, in seconds."""


class Applier:
    """Applies one or two chunks at a time; the second one in a thread with its own connection."""

    def __init__(self) -> None:
        self._thread: ThreadPoolExecutor | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        if self._thread:
            self._thread.submit(_close_connection)
            self._thread.shutdown()

    @staticmethod
    def chunks_at_once(size: int) -> int:
        """Return how many chunks of this size are applied at the same time.

        In a transaction of the caller, whose rows another connection doesn't see, it's one.
        """
        is_paired = connection.vendor == "postgresql" and size >= MIN_PAIRED_ROWS
        return 2 if is_paired and not connection.in_atomic_block else 1

    def apply(self, work: Work, chunks: Sequence[Sequence[PendingRow]]) -> list[float]:
        """Apply and commit one or two chunks.

        Returns:
            What ``work`` has returned for each chunk that was committed: for the first one, and
            unless it had to wait too long, for the second one.
        """
        first = ChunkPlace()
        if len(chunks) == 1:
            return [work(chunks[0], first)]
        self._thread = self._thread or ThreadPoolExecutor(1, "second chunk")
        second = self._thread.submit(work, chunks[1], ChunkPlace(first))
        try:
            done = work(chunks[0], first)
        finally:
            wait([second])
        return [done, *_result_in_time(second)]


def _result_in_time(second: "Future[float]") -> Iterator[float]:
    try:
        yield second.result()
    except NotCommitted:
        return


def _close_connection() -> None:
    """Close the connection of this thread."""
    connection.close()
