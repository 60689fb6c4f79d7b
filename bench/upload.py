"""Uploads 200 MB: measures the growth of the web process, and the time beside a plain TLS server.

One file is plain. The other has a quoted comma in every row, none of which is known yet.
"""

import csv
import os
import subprocess
import sys
import time
from pathlib import Path

from bench import processes, students, works
from bench.databases import Database
from bench.door import PASSWORD
from bench.plan import BenchFailed, Plan, say
from bench.results import Results
from bench.students import Files

_RUNS = 3
_ROWS = 330_000  # of 607 bytes
_NOTES = {
    "large": "made up and long enough that the file is of the size that is to be measured; " * 6,
    "commas": "made up, and long enough, so that the file is of the size to be measured here; " * 6,
}


def measure(plan: Plan, database: Database, results: Results) -> None:
    """Uploads of both and of a small file, each to a server of its own; then they are canceled.

    Signing in uses 19 MiB of a web process for argon2id; the small file shows that part.
    """
    small, large = students.write(plan.folder, plan.rows[0], order=plan.order), _files(plan.folder)
    enrolled = works.enroll(plan, database, small)
    enrolled.current_file = works.UNKNOWN
    for run in range(min(plan.runs, _RUNS)):
        small_grown, _ = _upload(enrolled, small, "base")
        for name in _NOTES:
            grown, took = _upload(enrolled, large, name)
            copied, sunk = _copy(large[name]), _send_to_sink(enrolled, large[name])
            results.add(
                "upload",
                database=database.name,
                file=name,
                run=run,
                small_grown_bytes=small_grown,
                grown_bytes=grown,
                seconds=round(took, 3),
                cp_fsync_seconds=round(copied, 3),
                sink_seconds=round(sunk, 3),
            )
            say(
                f"{database.name:9} upload      200 MB, {name}, run {run + 1}: "
                f"{took:.2f} s, sink {sunk:.2f} s, cp {copied:.2f} s"
            )


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


def _copy(file: Path) -> float:
    """Return the seconds of ``cp`` with fsync; Rollbook syncs before it answers."""
    copy = file.with_suffix(".copy")
    os.sync()
    began = time.perf_counter()
    subprocess.run(["cp", str(file), str(copy)], check=True)
    with copy.open("rb") as written:
        os.fsync(written.fileno())
    seconds = time.perf_counter() - began
    copy.unlink()
    return seconds


def _send_to_sink(enrolled: works.Enrolled, file: Path) -> float:
    """Return the seconds of curl for the same upload to the plain server."""
    data, stored = enrolled.rollbook.data, file.with_suffix(".received")
    certificate, key = data / "certificate.pem", data / "certificate.key"
    command = [sys.executable, "-m", "bench.sink", str(certificate), str(key), str(stored)]
    os.sync()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as sink:
        port = sink.stdout.readline().strip() if sink.stdout else ""
        fields = (f"file=@{file}", f"login={enrolled.district.login}", f"password={PASSWORD}")
        forms = [word for field in fields for word in ("--form", field)]
        url = f"https://localhost:{port}/"
        began = time.perf_counter()
        subprocess.run(
            ["curl", "--silent", "--fail", "--cacert", str(certificate), *forms, url],
            check=True,
            capture_output=True,
        )
        seconds = time.perf_counter() - began
    if stored.stat().st_size < file.stat().st_size:
        raise BenchFailed(f"the plain server has not stored all of {file}")
    stored.unlink()
    return seconds


def _files(parent: Path) -> Files:
    """``large`` and ``commas``: made-up students whose last column makes the rows long."""
    folder = parent / "upload"
    students.write_once(folder, _write)
    return Files(folder, _ROWS)


def _write(folder: Path) -> None:
    for name, note in _NOTES.items():
        with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow([*students.COLUMNS, "_NOTE"])
            writer.writerows([*row, note] for row in students.students(_ROWS))
