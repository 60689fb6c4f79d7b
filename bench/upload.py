"""Uploads 200 MB: measures the growth of the web process, and the time compared with ``cp``."""

import csv
import os
import subprocess
import time
from pathlib import Path

from bench import processes, students, works
from bench.databases import Database
from bench.plan import Plan, say
from bench.results import Results
from bench.students import Files

_RUNS = 3
_ROWS = 330_000  # of 607 bytes
_NOTE = "made up, and long enough that the file is of the size that is to be measured; " * 6


def measure(plan: Plan, database: Database, results: Results) -> None:
    """Uploads of it and of a small file, each to a server of its own; then they are canceled.

    Signing in uses 19 MiB of a web process for argon2id; the small file shows that part.
    """
    small, large = students.write(plan.folder, plan.rows[0], order=plan.order), _file(plan.folder)
    enrolled = works.enroll(plan, database, small)
    enrolled.current_file = works.UNKNOWN
    for run in range(min(plan.runs, _RUNS)):
        (small_grown, _), (grown, took) = (
            _upload(enrolled, small, "base"),
            _upload(enrolled, large, "large"),
        )
        copied, synced = _copy(large["large"])
        sizes = {"small_grown_bytes": small_grown, "grown_bytes": grown}
        times = {
            "seconds": round(took, 3),
            "cp_seconds": round(copied, 3),
            "cp_fsync_seconds": round(synced, 3),
        }
        results.add("upload", database=database.name, run=run, **sizes, **times)
        say(f"{database.name:9} upload      200 MB  run {run + 1}: {took:.2f} s, cp {copied:.2f} s")


def _upload(enrolled: works.Enrolled, files: Files, name: str) -> tuple[int, float]:
    """Return the growth in bytes of the web process that grew most, and the seconds of curl."""
    enrolled.files = files
    with enrolled.serving():
        webs = processes.families(
            pid for role, pid in enrolled.rollbook.children() if role == "web"
        )
        before = {pid: processes.resident(pid) for family in webs for pid in family}
        for pid in before:
            processes.forget_peak(pid)
        upload = enrolled.begin(name)
        grown = max(processes.peak(pid) - resident for pid, resident in before.items())
        enrolled.rollbook.cancel(enrolled.district, upload.number)
    return grown, upload.took


def _copy(file: Path) -> tuple[float, float]:
    """Return the seconds of ``cp``, without and with fsync; Rollbook syncs before it answers."""
    copy = file.with_suffix(".copy")
    os.sync()
    began = time.perf_counter()
    subprocess.run(["cp", str(file), str(copy)], check=True)
    copied = time.perf_counter() - began
    with copy.open("rb") as written:
        os.fsync(written.fileno())
    synced = time.perf_counter() - began
    copy.unlink()
    return copied, synced


def _file(parent: Path) -> Files:
    """``large``: made-up students whose last column makes the rows long."""
    folder = parent / "upload"
    if not folder.exists():
        begun = folder.with_suffix(".begun")
        begun.mkdir(parents=True, exist_ok=True)
        with (begun / "large.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow([*students.COLUMNS, "_NOTE"])
            writer.writerows([*row, _NOTE] for row in students.students(_ROWS))
        begun.rename(folder)
    return Files(folder, _ROWS)
