"""How far long work is: a bar on a terminal, a line every few seconds in a log; always on stderr."""

import sys
import time
from types import TracebackType
from typing import Self

from tqdm import tqdm

LINE_INTERVAL_S = 3.0


class ProgressBar:
    """What is being done and how much of it; one stage follows another. Use it in a ``with``."""

    def __init__(self) -> None:
        self._stage: _Bar | _Lines | None = None
        self._name = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.end()

    def show(self, stage: str, done: int, total: int, unit: str = "rows") -> None:
        """Of this stage, ``done`` of ``total``."""
        if stage != self._name or self._stage is None:
            self.end()
            self._name = stage
            self._stage = (_Bar if sys.stderr.isatty() else _Lines)(stage, total, unit)
        self._stage.show(min(done, total))

    def say(self, text: str) -> None:
        """A line beside the bar."""
        tqdm.write(text, file=sys.stderr)

    def end(self) -> None:
        """The stage is over."""
        if self._stage:
            self._stage.end()
        self._stage = None


class _Bar:
    def __init__(self, stage: str, total: int, unit: str) -> None:
        self._bar = tqdm(
            desc=stage, total=total, unit=f" {unit}", file=sys.stderr, dynamic_ncols=True
        )

    def show(self, done: int) -> None:
        self._bar.update(done - self._bar.n)

    def end(self) -> None:
        self._bar.close()


class _Lines:
    def __init__(self, stage: str, total: int, unit: str) -> None:
        self._text = f"{stage}: {{done:,}} of {total:,} {unit}"
        self._total = total
        self._done = self._said = -1
        self._due = time.monotonic() + LINE_INTERVAL_S

    def show(self, done: int) -> None:
        self._done = done
        if time.monotonic() >= self._due:
            self._say()

    def end(self) -> None:
        if self._done != self._said:
            self._say()

    def _say(self) -> None:
        share = f" ({100 * self._done // self._total} %)" if self._total else ""
        print(self._text.format(done=self._done) + share, file=sys.stderr, flush=True)
        self._said = self._done
        self._due = time.monotonic() + LINE_INTERVAL_S
