"""Shows the progress of a long task on stderr: a bar on a terminal, lines in a log."""

import os
import sys
import time
from types import TracebackType
from typing import Self

from tqdm import tqdm

LINE_INTERVAL_S = 3.0
_USUAL_SIZE = {"ncols": 80, "nrows": 24}


class ProgressBar:
    """The progress of a task that has one phase after another; a context manager."""

    def __init__(self) -> None:
        self._phase: _TerminalBar | _LogLines | None = None
        self._phase_name = ""
        self._status = ""
        self._next_status_at = 0.0

    def __enter__(self) -> Self:
        """Return the progress bar itself."""
        return self

    def __exit__(
        self,
        exception_type: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End the current phase."""
        self.end()

    def show(self, phase: str, done: int, total: int, unit: str = "rows") -> None:
        """Show that ``done`` of ``total`` units of this phase are done."""
        if phase != self._phase_name or self._phase is None:
            self.end()
            self._phase_name = phase
            display = _TerminalBar if sys.stderr.isatty() else _LogLines
            self._phase = display(phase, total, unit)
        self._phase.show(min(done, total))

    def show_status(self, text: str) -> None:
        """Print a line when it changes; in a log, also every few seconds."""
        now = time.monotonic()
        is_due = now >= self._next_status_at and not sys.stderr.isatty()
        if text != self._status or is_due:
            self.print_line(text)
            self._status = text
            self._next_status_at = now + LINE_INTERVAL_S

    def print_line(self, text: str) -> None:
        """Print a line without breaking the bar."""
        tqdm.write(text, file=sys.stderr)

    def end(self) -> None:
        """End the current phase."""
        if self._phase:
            self._phase.end()
        self._phase = None


class _TerminalBar:
    def __init__(self, phase: str, total: int, unit: str) -> None:
        size = {"dynamic_ncols": True} if _is_size_known() else _USUAL_SIZE
        self._bar = tqdm(
            desc=phase,
            total=total,
            unit=f" {unit}",
            file=sys.stderr,
            **size,
        )

    def show(self, done: int) -> None:
        self._bar.update(done - self._bar.n)

    def end(self) -> None:
        self._bar.close()


def _is_size_known() -> bool:
    """Return whether the terminal has a size; a serial console or a container may have none."""
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns > 0
    except (OSError, ValueError):
        return False


class _LogLines:
    def __init__(self, phase: str, total: int, unit: str) -> None:
        self._text = f"{phase}: {{done:,}} of {total:,} {unit}"
        self._total = total
        self._done = self._last_printed = -1
        self._next_line_at = time.monotonic() + LINE_INTERVAL_S

    def show(self, done: int) -> None:
        self._done = done
        if time.monotonic() >= self._next_line_at:
            self._print()

    def end(self) -> None:
        if self._done != self._last_printed:
            self._print()

    def _print(self) -> None:
        share = f" ({100 * self._done // self._total}%)" if self._total else ""
        print(self._text.format(done=self._done) + share, file=sys.stderr, flush=True)
        self._last_printed = self._done
        self._next_line_at = time.monotonic() + LINE_INTERVAL_S
