"""The order in which rows that wait for each other can be applied (pure)."""

from collections import defaultdict
from collections.abc import Iterable, Iterator


def dependency_order(waits: Iterable[tuple[int, int]]) -> list[list[int]]:
    """Of pairs (row, row it waits for): rings of rows that wait for each other, each after all that it waits for.

    Most rings have one row. These are the strongly connected components of the graph, as Tarjan finds them, without
    recursion: a chain may be as long as the file.
    """
    waits_for: defaultdict[int, list[int]] = defaultdict(list)
    for row, other in waits:
        waits_for[row].append(other)
    search = _Search(waits_for)
    for row in list(waits_for):
        if row not in search.seen:
            search.walk(row)
    return search.rings


class _Search:
    """One walk through the graph."""

    def __init__(self, waits_for: dict[int, list[int]]) -> None:
        self._waits_for = waits_for
        self.seen: dict[int, int] = {}  # row to the order in which it was met
        self._oldest: dict[
            int, int
        ] = {}  # row to the first met of the open rows that can be reached from it
        self._open: dict[
            int, None
        ] = {}  # rows whose ring is not known yet, in the order in which they were met
        self.rings: list[list[int]] = []

    def walk(self, start: int) -> None:
        """Visit everything that can be reached from here."""
        path = [self._meet(start)]
        while path:
            row, others = path[-1]
            other = next(others, None)
            if other is None:
                path.pop()
                self._leave(row, path[-1][0] if path else None)
            elif other not in self.seen:
                path.append(self._meet(other))
            elif other in self._open:
                self._oldest[row] = min(self._oldest[row], self.seen[other])

    def _meet(self, row: int) -> tuple[int, Iterator[int]]:
        self.seen[row] = self._oldest[row] = len(self.seen)
        self._open[row] = None
        return row, iter(self._waits_for.get(row, ()))

    def _leave(self, row: int, above: int | None) -> None:
        """All that can be reached from the row has been seen: it may be the first of a ring."""
        if above is not None:
            self._oldest[above] = min(self._oldest[above], self._oldest[row])
        if self._oldest[row] == self.seen[row]:
            ring: list[int] = []
            while not ring or ring[-1] != row:
                ring.append(self._open.popitem()[0])
            self.rings.append(ring)
