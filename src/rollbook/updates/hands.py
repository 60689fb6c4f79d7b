"""A second pair of hands for a large file: a process that checks the later half while this one checks the earlier.

Each commits its own batches behind the same fence, so whatever happens to the other process, nothing is done twice, and
what it leaves undone is found by ``stretches.open_ones`` as after any crash.
"""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:  # in the other process Django is not set up yet
    from rollbook.updates.stretches import Stretch

MOMENT = 0.1  # seconds


class SecondHand:
    """The other process, as long as the block lasts; none if there is one core or nothing to hand over."""

    def __init__(self, update_id: int, run: str, stretches: "Sequence[Stretch]") -> None:
        self._order = json.dumps([update_id, run, [stretch.as_json() for stretch in stretches]])
        self._wanted = bool(stretches) and len(os.sched_getaffinity(0)) > 1
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        if self._wanted:
            self._process = subprocess.Popen(  # noqa: S603 - this very module
                [sys.executable, "-m", __name__], stdin=subprocess.PIPE, stdout=2, text=True
            )
            if self._process.stdin:
                # Kept open: when it ends, nobody waits for the other process any more.
                print(self._order, file=self._process.stdin, flush=True)
        return self

    def works(self) -> bool:
        """Whether it is still at it, after waiting a moment."""
        if self._process is None:
            return False
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(MOMENT)
        return self._process.returncode is None

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process:
            self._process.kill()
            self._process.__exit__(kind, value, trace)


def _lend() -> None:
    """In the other process."""
    update_id, run, todo = json.loads(sys.stdin.readline())
    threading.Thread(target=_end_with_the_first, daemon=True).start()
    import django

    django.setup()
    from rollbook.updates import check
    from rollbook.updates.stretches import Stretch

    check.lend_a_hand(update_id, run, [Stretch.of_json(stretch) for stretch in todo])


def _end_with_the_first() -> None:
    sys.stdin.read()
    os._exit(1)


if __name__ == "__main__":
    _lend()
