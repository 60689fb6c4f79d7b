"""Find an order in which rows that depend on each other can be applied (pure)."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping


def dependency_order(dependencies: Iterable[tuple[int, int]]) -> list[list[int]]:
    """Return the strongly connected components of the dependency graph, dependencies first.

    This is Tarjan's algorithm without recursion, as a chain may be as long as the file. A component
    of more than one row is a cycle: its rows have to be applied together. Most have one row.

    Args:
        dependencies: Pairs of a row and a row that has to be applied before it.

    Returns:
        The rows of each component. Each component comes after all that it depends on.
    """
    graph: defaultdict[int, list[int]] = defaultdict(list)
    for row, blocked_by in dependencies:
        graph[row].append(blocked_by)
    search = _ComponentSearch(graph)
    for row in list(graph):
        if row not in search.indexes:
            search.visit_from(row)
    return search.components


class _ComponentSearch:
    """A depth-first search of the graph, in Tarjan's terms.

    Attributes:
        indexes: Row to the order in which it was visited.
        components: The components that are complete.
    """

    def __init__(self, graph: Mapping[int, list[int]]) -> None:
        self._graph = graph
        self.indexes: dict[int, int] = {}
        self.components: list[list[int]] = []
        # Row to the lowest index of a row on the stack that can be reached from it.
        self._low_links: dict[int, int] = {}
        # Rows whose component is not complete, in the order in which they were visited.
        self._stack: dict[int, None] = {}

    def visit_from(self, start: int) -> None:
        """Visit all rows that can be reached from this one."""
        path = [self._enter(start)]
        while path:
            row, successors = path[-1]
            successor = next(successors, None)
            if successor is None:
                path.pop()
                parent = path[-1][0] if path else None
                self._leave(row, parent)
            elif successor not in self.indexes:
                path.append(self._enter(successor))
            elif successor in self._stack:
                self._low_links[row] = min(self._low_links[row], self.indexes[successor])

    def _enter(self, row: int) -> tuple[int, Iterator[int]]:
        self.indexes[row] = self._low_links[row] = len(self.indexes)
        self._stack[row] = None
        return row, iter(self._graph.get(row, ()))

    def _leave(self, row: int, parent: int | None) -> None:
        """Complete the component of which the row was visited first, if there is one."""
        if parent is not None:
            self._low_links[parent] = min(self._low_links[parent], self._low_links[row])
        if self._low_links[row] == self.indexes[row]:
            component: list[int] = []
            while not component or component[-1] != row:
                component.append(self._stack.popitem()[0])
            self.components.append(component)
