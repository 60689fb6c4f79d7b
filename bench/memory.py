"""Measures the peak memory of a process and its child processes while something runs.

Four times a second the proportional set sizes (PSS) of all running ones are added; the largest sum
counts. A page that several processes share counts once, in equal parts. What a process needs for
less than a quarter of a second may be missed.
"""

import threading
from collections.abc import Iterable
from types import TracebackType
from typing import Self

from bench import processes

_PAUSE_S = 0.25


class Watch:
    """Looks on as long as the block lasts; then ``most`` has bytes for each name."""

    def __init__(self, roots: Iterable[tuple[str, int]]) -> None:
        """``roots`` are names and process ids; those with one name are added up."""
        self._roots = list(roots)
        self._enough = threading.Event()
        self._thread = threading.Thread(target=self._look_on, daemon=True)
        self.most: dict[str, int] = {name: 0 for name, _ in self._roots}

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._enough.set()
        self._thread.join()

    def _look_on(self) -> None:
        ended = False
        while not ended:
            ended = self._enough.wait(_PAUSE_S)  # the last look is at what there is at the end
            self._look()

    def _look(self) -> None:
        now = dict.fromkeys(self.most, 0)
        families = processes.families(root for _, root in self._roots)
        for (name, _), family in zip(self._roots, families, strict=True):
            now[name] += sum(map(processes.proportional, family))
        self.most = {name: max(peak, now[name]) for name, peak in self.most.items()}
