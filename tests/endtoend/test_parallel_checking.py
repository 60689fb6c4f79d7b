"""A large file is checked by two processes, and completely even if the second one fails."""

import os
import signal
from contextlib import suppress
from pathlib import Path

import pytest

from tests import depth
from tests.endtoend.conftest import Rollbook
from tests.faults.folder import HEADER, row
from tests.installations import execute
from tests.often import often

MANY = depth.choose(daily=12_000, nightly=30_000)
FEWER = depth.choose(daily=8_000, nightly=10_000)
SIGNALS = [signal.SIGKILL, signal.SIGSTOP]
WORKER = "rollbook.updates.checking.worker_process"
MEGABYTES = 20  # so many byte ranges that most are left after a batch of 4,000 rows
PAUSE = 0.02  # seconds between two looks
IDLE_LOOKS = 4  # in a row at which the second process waits, before the first one goes on
CORES = len(os.sched_getaffinity(0))


def write(file: Path, students: int, grade: str) -> str:
    """A student file of so many bytes, most of them in a column that Rollbook does not know."""
    notes = "x" * (MEGABYTES * 1_000_000 // students - 80)
    rows = (f"{row(number, grade=grade).strip()},{notes}\n" for number in range(students))
    file.write_text(f"{HEADER.strip()},NOTES\n" + "".join(rows), encoding="utf-8")
    return str(file)


def test_the_second_process_checks_the_file_from_its_end(
    rollbook: Rollbook, tmp_path: Path
) -> None:
    rollbook.run("student", "load", "maple-usd", write(tmp_path / "base.csv", MANY, "4"))
    [(base,)] = execute(rollbook.data, "SELECT max(update_id) FROM updates_checkedrange")
    ranges = f"SELECT end_byte FROM updates_checkedrange WHERE update_id > {base} ORDER BY id"
    reached: list[int] = []

    def look() -> None:
        rows = execute(rollbook.data, ranges)
        reached[:] = [end for (end,) in rows] if len(rows) > len(reached) else reached

    rollover = write(tmp_path / "rollover.csv", MANY, "5")
    with often(look, PAUSE), often(PrecedenceOfTheSecond(rollbook).give, PAUSE):
        output = rollbook.run("student", "load", "maple-usd", rollover)
    assert f"{MANY:,} updated, 0 unchanged, 0 rejected" in output
    assert (reached != sorted(reached)) == (CORES > 1)
    assert rollbook.descendants(WORKER) == []


def status_of(process: int) -> tuple[str, str, str]:
    """Return the state of a process, its parent's ID, and its processor time."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return fields[0], fields[1], "+".join(fields[11:13])


class PrecedenceOfTheSecond:
    """Stops the first process while the second one has something to do.

    On a busy machine, the first one would otherwise have ended before the second gets a core.
    """

    def __init__(self, rollbook: Rollbook) -> None:
        self._rollbook = rollbook
        self._time = ""  # processor time of the second process
        self._idle_looks = 0
        self._stopped: int | None = None

    def give(self) -> None:
        """Stop the first process, or let it go on."""
        second = next(iter(self._rollbook.descendants(WORKER)), None)
        with suppress(OSError):  # the second process ends
            if second and not self._is_idle(second):
                self._stop_parent_of(second)
                return
        self._let_go_on()

    def _stop_parent_of(self, second: int) -> None:
        if self._stopped is None:
            _, parent, _ = status_of(second)
            os.kill(int(parent), signal.SIGSTOP)
            self._stopped = int(parent)

    def _is_idle(self, second: int) -> bool:
        """Whether it waits for something, and has waited during the last looks, too."""
        state, _, time = status_of(second)
        waits = state == "S" and time == self._time
        self._time = time
        self._idle_looks = self._idle_looks + 1 if waits else 0
        return self._idle_looks >= IDLE_LOOKS

    def _let_go_on(self) -> None:
        if self._stopped is not None:
            os.kill(self._stopped, signal.SIGCONT)
            self._stopped = None


@pytest.mark.parametrize("number", depth.sample(SIGNALS, "signals to a second process", daily=1))
def test_a_second_process_that_does_nothing_keeps_nobody_waiting(
    rollbook: Rollbook, tmp_path: Path, number: signal.Signals
) -> None:
    seen: set[int] = set()

    def look() -> None:
        for pid in set(rollbook.descendants(WORKER)) - seen:
            os.kill(pid, number)
            seen.add(pid)

    rollbook.run("student", "load", "maple-usd", write(tmp_path / "base.csv", FEWER, "4"))
    rollover = write(tmp_path / "rollover.csv", FEWER, "5")
    with often(look, PAUSE):
        output = rollbook.run("student", "load", "maple-usd", rollover)
    assert f"{FEWER:,} updated, 0 unchanged, 0 rejected" in output
    assert len(seen) == (1 if CORES > 1 else 0)
    assert rollbook.descendants(WORKER) == []
