"""Measures the Django project in ``peer/`` with the nightly file, each run in its own process."""

import json
import os
import subprocess
import sys
from pathlib import Path

from bench import students
from bench.databases import Database
from bench.plan import BenchFailed, Plan, say
from bench.results import Results

WAYS = {
    "best": "django-import-export, its best",
    "skip-unchanged": "django-import-export, skip_unchanged",
    "defaults": "django-import-export, defaults",
    "naive": "update_or_create for each row",
}
_ALL_UP_TO = (
    10_000  # rows; beyond, all but the best take minutes each, and are left to runs that go further
)


def measure(plan: Plan, database: Database, rows: int, results: Results) -> None:
    """Every way: three runs, one beyond 10,000 rows."""
    files = students.write(plan.folder, rows, order=plan.order)
    address = database.fresh("peer")
    _run(address, "fill", files["base"])
    ways = [*WAYS] if rows <= _ALL_UP_TO or rows < plan.most else ["best"]
    current_file = "base"
    for way in ways:
        for run in range(min(plan.runs, 3 if rows <= _ALL_UP_TO else 1)):
            current_file = "nightly" if current_file == "base" else "base"
            database.settle(address)
            seconds = json.loads(_run(address, way, files[current_file]))["seconds"]
            where = {"database": database.name, "work": "nightly", "rows": rows, "run": run}
            results.add("timing", **where, who=way, seconds=round(seconds, 4))
            say(
                f"{database.name:9} nightly     {rows:>9,} rows  "
                f"{way:9} run {run + 1}: {seconds:8.2f} s"
            )
    database.drop("peer")


def _run(address: str, way: str, file: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "bench.peer", way, str(file)],
        env=os.environ
        | {"BENCH_PEER_DATABASE": address, "DJANGO_SETTINGS_MODULE": "bench.peer.settings"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise BenchFailed(f"the peer ({way}) did not do its work: {done.stderr[-500:]}")
    return done.stdout
