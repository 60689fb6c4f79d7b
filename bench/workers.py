"""Measures a hundred districts on one PostgreSQL with one and two workers.

A nightly file of each district is waiting when the workers start. The time until the end of the
last update includes the second or so that a worker takes to start.
"""

import shutil
import time
from contextlib import ExitStack
from dataclasses import dataclass

from bench import processes, students
from bench.databases import Database
from bench.door import District, Ended, Rollbook, Upload, moment
from bench.plan import BenchFailed, Plan, say
from bench.results import Results
from bench.students import Files

DISTRICTS, ROWS = 100, 2_000
WORKERS = (1, 2)
_UNFINISHED = "SELECT count(*) FROM updates_updatejob WHERE ended_at IS NULL"


@dataclass(frozen=True)
class _Sender:
    """A district and its files."""

    district: District
    files: Files


def measure(plan: Plan, database: Database, results: Results) -> None:
    """Measure each number of workers once, starting from the same state."""
    folder = plan.folder / "rollbook"
    shutil.rmtree(folder, ignore_errors=True)
    rollbook = Rollbook(folder, database.fresh("rollbook"))
    senders = [_sender(plan, rollbook, number) for number in range(1, DISTRICTS + 1)]
    _upload_base(rollbook, senders, "add")
    for workers in WORKERS:
        database.settle(rollbook.database_address)
        _measure(database, rollbook, senders, workers, results)
        _upload_base(rollbook, senders, "update")


def _sender(plan: Plan, rollbook: Rollbook, number: int) -> _Sender:
    files = students.write(plan.folder, ROWS, seed=number, order=plan.order)
    return _Sender(rollbook.add_district(f"District {number}", files["schools"]), files)


def _upload_base(rollbook: Rollbook, senders: list[_Sender], mode: str) -> None:
    """Upload the base file of all districts."""
    with rollbook.serving():
        uploads = [
            rollbook.upload(each.district, each.files["base"], mode=mode) for each in senders
        ]
        for each, upload in zip(senders, uploads, strict=True):
            rollbook.end(each.district, upload)


def _measure(
    database: Database, rollbook: Rollbook, senders: list[_Sender], workers: int, results: Results
) -> None:
    with rollbook.door_only(), ExitStack() as stack:
        waiting = [
            (each, rollbook.upload(each.district, each.files["nightly"])) for each in senders
        ]
        busy, ticks = processes.busy()
        began = time.time()
        for _ in range(workers):
            stack.enter_context(rollbook.worker())
        # A call of status for each update would take as much CPU time as a third of its work.
        while database.number(rollbook.database_address, _UNFINISHED):
            time.sleep(0.25)
        ended = [_end(rollbook, *one) for one in waiting]
        seconds = max(moment(each.facts["ended_at"]) for each in ended) - began
        working = seconds + began - min(moment(each.facts["started_at"]) for each in ended)
        busy_then, ticks_then = processes.busy()
    share = (busy_then - busy) / (ticks_then - ticks)
    results.add(
        "workers",
        workers=workers,
        seconds=round(seconds, 3),
        working_seconds=round(working, 3),
        busy=round(share, 3),
    )
    say(f"{workers} workers: {seconds:.1f} s, the cores {share:.0%} busy")


def _end(rollbook: Rollbook, sender: _Sender, upload: Upload) -> Ended:
    ended = rollbook.end(sender.district, upload)
    expected = sender.files.differing("base", "nightly")
    if ended.facts["updated"] != expected:
        raise BenchFailed(
            f"{sender.files['nightly']} should have updated {expected}: {ended.facts['message']}"
        )
    return ended
