"""A large file is checked by two processes, and completely even if the second one fails."""

import os
import signal
from pathlib import Path

import pytest

from tests import depth
from tests.endtoend.conftest import Rollbook
from tests.faults.folder import HEADER, row
from tests.installations import execute
from tests.often import often

MANY = depth.choose(daily=8_000, nightly=30_000)
FEWER = depth.choose(daily=5_000, nightly=10_000)
SIGNALS = [signal.SIGKILL, signal.SIGSTOP]
WORKER = "rollbook.updates.checking.worker_process"
MEGABYTES = 10
PAUSE = 0.02  # seconds between two looks
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
    reached: list[int] = []

    def look() -> None:
        ends = [
            end
            for (end,) in execute(
                rollbook.data, "SELECT end_byte FROM updates_checkedrange ORDER BY id"
            )
        ]
        reached[:] = ends if len(ends) > len(reached) else reached

    rollbook.run("student", "load", "maple-usd", write(tmp_path / "base.csv", MANY, "4"))
    # On a busy machine, the first process may have ended before the second one gets a core.
    for grade in ("5", "6", "7"):
        reached.clear()
        rollover = write(tmp_path / "rollover.csv", MANY, grade)
        with often(look, PAUSE):
            output = rollbook.run("student", "load", "maple-usd", rollover)
        assert f"{MANY:,} updated, 0 unchanged, 0 rejected" in output
        if reached != sorted(reached):
            break
    assert (reached != sorted(reached)) == (CORES > 1)
    assert rollbook.descendants(WORKER) == []


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
