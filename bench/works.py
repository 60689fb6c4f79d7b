"""Compares Rollbook with two scripts: first load, nightly, rollover and unchanged at each size.

Their runs alternate. Rollbook's server is stopped while a script runs, and ``settle`` precedes
each. Every run of an update has the same amount of work: base, nightly, base, and so on.
"""

import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from bench import students
from bench.databases import Database
from bench.door import District, Ended, Rollbook, Upload
from bench.loading import load_seconds
from bench.memory import Watch
from bench.plan import BenchFailed, Plan, say
from bench.results import Results
from bench.students import Files

FEW_LOADS_ABOVE = 100_000  # a first load of more rows than this is measured once
FLOOR, MERGE = "floor", "merge"  # who did what was measured, besides Rollbook
_IDLE_TIMEOUT_S = 600.0
_UNFINISHED = (
    "SELECT count(*) FROM updates_updatejob "
    "WHERE ended_at IS NOT NULL AND leftovers_removed_at IS NULL"
)
EMPTY, UNKNOWN = "empty", "unknown"  # states of a district besides the names of its files


@dataclass
class Enrolled:
    """A district on its own Rollbook.

    Attributes:
        current_file: The file whose data the students have: its name, ``EMPTY`` or ``UNKNOWN``.
    """

    rollbook: Rollbook
    database: Database
    district: District
    files: Files
    current_file: str = EMPTY

    @contextmanager
    def serving(self) -> Iterator[None]:
        """Run the server after the disk and the database have settled, until it has no work left.

        Raises:
            BenchFailed: The worker hasn't finished with the updates that have ended.
        """
        self.database.settle(self.rollbook.database_address)
        with self.rollbook.serving():
            yield
            self._wait_until_idle()

    def _wait_until_idle(self) -> None:
        """Wait until students' data is removed from staged rows, as it is long before a night."""
        deadline = time.monotonic() + _IDLE_TIMEOUT_S
        while self.database.number(self.rollbook.database_address, _UNFINISHED):
            if time.monotonic() > deadline:
                raise BenchFailed("the worker hasn't finished with the updates that have ended")
            time.sleep(0.5)

    def send(self, name: str) -> Ended:
        """Upload a file while serving, wait for its end, and check how many students changed."""
        upload = self.begin(name)
        ended = self.rollbook.end(self.district, upload)
        self.check_result(name, ended.facts)
        return ended

    def begin(self, name: str) -> Upload:
        """Send a file while serving."""
        mode = "add" if self.current_file == EMPTY else "update"
        return self.rollbook.upload(self.district, self.files[name], mode=mode)

    def check_result(self, name: str, facts: Mapping[str, Any]) -> None:
        """Check how many students an update changed; raise BenchFailed if the number is wrong."""
        if self.current_file != UNKNOWN:
            counts = {word: facts[word] for word in ("updated", "added", "unchanged", "rejected")}
            expected = self._expected(name)
            if counts != expected:
                raise BenchFailed(
                    f"{self.files[name]} should have given {expected}, Rollbook reports {counts}"
                )
        self.current_file = name

    def _expected(self, name: str) -> dict[str, int]:
        rows = self.files.rows
        if self.current_file == EMPTY:
            return {"updated": 0, "added": rows, "unchanged": 0, "rejected": 0}
        updated = self.files.differing(self.current_file, name)
        return {"updated": updated, "added": 0, "unchanged": rows - updated, "rejected": 0}


def enroll(plan: Plan, database: Database, files: Files) -> Enrolled:
    """Set up Rollbook with a district that has schools and a member, but no students yet."""
    folder = plan.folder / "rollbook"
    shutil.rmtree(folder, ignore_errors=True)
    rollbook = Rollbook(folder, database.fresh("rollbook") if database.name == "postgres" else "")
    return Enrolled(rollbook, database, rollbook.add_district("Maple USD", files["schools"]), files)


def measure(plan: Plan, database: Database, rows: int, results: Results) -> Enrolled:
    """Measure everything with this many students; return the district, updated to base."""
    files = students.write(plan.folder, rows, order=plan.order)
    meter = Meter(database, rows, results)
    runs = plan.runs if rows <= FEW_LOADS_ABOVE else 1
    for run in range(runs):
        enrolled = enroll(plan, database, files)
        meter.rollbook("first load", run, enrolled, "base")
        meter.note(
            "first load",
            run,
            FLOOR,
            load_seconds(database, enrolled.rollbook.database_address, plan.folder),
        )
    with enrolled.serving():
        enrolled.send("base")  # an ordinary night follows another one, not a first load
    with _Scripts(database, files["base"]) as scripts:
        for work in ("nightly", "rollover"):
            for run in range(plan.runs):
                name = "base" if run % 2 else work
                meter.rollbook(work, run, enrolled, name)
                scripts.measure(meter, work, run, files[name], files.differing("base", work))
            if enrolled.current_file != "base":
                with enrolled.serving():
                    enrolled.send("base")
                scripts.bring_to(files["base"])
        for run in range(plan.runs):
            meter.rollbook("unchanged", run, enrolled, "base")
            scripts.measure(meter, "unchanged", run, files["base"], 0)
    return enrolled


class _Scripts:
    """The floor and the script of a database administrator, each with students of its own."""

    def __init__(self, database: Database, base: Path) -> None:
        self._database = database
        self._addresses = {who: database.fresh(who) for who in (FLOOR, MERGE)}
        self._floors = {who: database.floor(address) for who, address in self._addresses.items()}
        for floor in self._floors.values():
            floor.fill(base)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        for who in self._addresses:
            self._database.drop(who)

    def measure(self, meter: "Meter", work: str, run: int, path: Path, expected: int) -> None:
        """Time both, and check how many students each has changed."""
        for who, address in self._addresses.items():
            self._database.settle(address)
            seconds, changed = self._run(who, path)
            if changed != expected:
                raise BenchFailed(f"the {who} changed {changed} students at {path}, not {expected}")
            meter.note(work, run, who, seconds)

    def bring_to(self, path: Path) -> None:
        """Bring the students of both up to this file."""
        for who in self._addresses:
            self._run(who, path)

    def _run(self, who: str, path: Path) -> tuple[float, int]:
        floor = self._floors[who]
        return floor.update(path) if who == FLOOR else floor.merge(path)


@dataclass(frozen=True)
class Meter:
    """Records measurements on one database with this many rows."""

    database: Database
    rows: int
    results: Results

    def rollbook(self, work: str, run: int, enrolled: Enrolled, name: str) -> None:
        """Upload the file to a new server; record time and memory."""
        with enrolled.serving():
            with Watch(enrolled.rollbook.children()) as watch:
                ended = enrolled.send(name)
            for role, peak in watch.most.items():
                self.results.add("memory", **self._where(work, run), role=role, bytes=peak)
        self.note(work, run, "rollbook", ended.seconds, call_seconds=round(ended.call_seconds, 3))

    def note(self, work: str, run: int, who: str, seconds: float, **more: float) -> None:
        """Record one timing."""
        self.results.add(
            "timing", **self._where(work, run), who=who, seconds=round(seconds, 4), **more
        )
        say(
            f"{self.database.name:9} {work:11} {self.rows:>9,} rows  "
            f"{who:9} run {run + 1}: {seconds:8.2f} s"
        )

    def _where(self, work: str, run: int) -> dict[str, object]:
        return {"database": self.database.name, "work": work, "rows": self.rows, "run": run}
