"""Measures other importers with the nightly file, each run in its own process.

They are the Django project in ``peer/`` and, on SQLite, the command ``sqlite-utils upsert``.
"""

import csv
import json
import os
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

from bench import students
from bench.databases import Database
from bench.plan import BenchFailed, Plan, say
from bench.results import Results

UPSERT = "sqlite-utils"
WAYS = {
    "best": "django-import-export, its best",
    "skip-unchanged": "django-import-export, skip_unchanged",
    "defaults": "django-import-export, defaults",
    "naive": "update_or_create for each row",
    UPSERT: "sqlite-utils upsert",
}
_ALL_UP_TO = (
    10_000  # rows; beyond, all but the best take minutes each, and are left to runs that go further
)


def measure(plan: Plan, database: Database, rows: int, results: Results) -> None:
    """Every way: three runs, one beyond 10,000 rows."""
    files = students.write(plan.folder, rows, order=plan.order)
    address = database.fresh("peer")
    _run(address, "fill", files["base"])
    ways = [way for way in WAYS if way != UPSERT]
    if rows > _ALL_UP_TO and rows >= plan.most:
        ways = ["best"]
    current_file = "base"
    for way in ways:
        for run in range(min(plan.runs, 3 if rows <= _ALL_UP_TO else 1)):
            current_file = "nightly" if current_file == "base" else "base"
            database.settle(address)
            seconds = json.loads(_run(address, way, files[current_file]))["seconds"]
            _note(database, rows, results, way, run, seconds)
    database.drop("peer")
    if database.name == "sqlite":
        _measure_upsert(plan, database, rows, results)


def _measure_upsert(plan: Plan, database: Database, rows: int, results: Results) -> None:
    """Measure ``sqlite-utils upsert`` as a whole process."""
    files = students.write(plan.folder, rows, order=plan.order)
    address = database.fresh("peer")
    _upsert(address, files["base"])
    for run in range(plan.runs):
        name = "base" if run % 2 else "nightly"
        database.settle(address)
        began = time.perf_counter()
        _upsert(address, files[name])
        _note(database, rows, results, UPSERT, run, time.perf_counter() - began)
        with closing(sqlite3.connect(address)) as connection:
            stored = {tuple(map(str, row)) for row in connection.execute("SELECT * FROM students")}
        with files[name].open(encoding="utf-8", newline="") as file:
            expected = {tuple(row) for row in list(csv.reader(file))[1:]}
        if stored != expected:
            raise BenchFailed(f"sqlite-utils has not stored what {files[name]} has")
    database.drop("peer")


def _note(
    database: Database, rows: int, results: Results, way: str, run: int, seconds: float
) -> None:
    where = {"database": database.name, "work": "nightly", "rows": rows, "run": run}
    results.add("timing", **where, who=way, seconds=round(seconds, 4))
    say(f"{database.name:9} nightly     {rows:>9,} rows  {way:9} run {run + 1}: {seconds:8.2f} s")


def _upsert(address: str, file: Path) -> None:
    options = ("--csv", "--pk", "STUDENT_ID", "--no-detect-types")
    _execute(["sqlite_utils", "upsert", address, "students", str(file), *options], {})


def _run(address: str, way: str, file: Path) -> str:
    settings = {"BENCH_PEER_DATABASE": address, "DJANGO_SETTINGS_MODULE": "bench.peer.settings"}
    return _execute(["bench.peer", way, str(file)], settings)


def _execute(words: list[str], environment: dict[str, str]) -> str:
    """Run a module; return its output."""
    done = subprocess.run(
        [sys.executable, "-m", *words],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise BenchFailed(f"{' '.join(words[:2])} did not do its work: {done.stderr[-500:]}")
    return done.stdout
