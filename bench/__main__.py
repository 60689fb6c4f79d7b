"""``python -m bench``: measure what the plan names, keep every figure, print the table."""

import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import version

from bench import databases, goals, growth, latency, pages, peers, table, upload, workers, works
from bench.databases import Database
from bench.plan import BenchFailed, Plan, plan, say
from bench.results import Results


def measure(asked: Plan, results: Results) -> None:
    """All parts of the plan, on each database; what has been measured is kept whatever comes after."""
    began = time.monotonic()
    with databases.databases(asked) as found, _kept(asked, results):
        results.machine = databases.machine(asked.folder) | {
            "rollbook": version("rollbook"),
            "date": f"{datetime.now(UTC):%Y-%m-%d}",
            "databases": {each.name: each.facts() for each in found},
            "note": asked.note,
        }
        results.plan = {
            "rows": asked.rows,
            "runs": asked.runs,
            "order": asked.order,
            "parts": asked.parts,
        }
        for database in found:
            for name in asked.parts:
                _PARTS[name](asked, database, results)
                results.machine["minutes"] = round((time.monotonic() - began) / 60, 1)
                results.save(asked.output)


@contextmanager
def _kept(asked: Plan, results: Results) -> Iterator[None]:
    try:
        yield
    finally:
        results.save(asked.output)


def _works(asked: Plan, database: Database, results: Results) -> None:
    for rows in asked.rows:
        enrolled = works.measure(asked, database, rows, results)
        if rows == asked.most:
            latency.cancels(asked, enrolled, results)


def _peers(asked: Plan, database: Database, results: Results) -> None:
    for rows in asked.peer_rows:
        peers.measure(asked, database, rows, results)


def _workers(asked: Plan, database: Database, results: Results) -> None:
    if database.name == "postgres":  # SQLite is for one worker
        workers.measure(asked, database, results)


_PARTS: dict[str, Callable[[Plan, Database, Results], None]] = {
    "works": _works,
    "peers": _peers,
    "growth": growth.measure,
    "latency": latency.measure,
    "upload": upload.measure,
    "pages": pages.measure,
    "workers": _workers,
}


def main() -> int:
    """Exit code 1 if a measurement failed; a goal that is not met is told, and is no failure."""
    signal.signal(
        signal.SIGTERM, lambda number, frame: sys.exit(1)
    )  # whatever was started is stopped
    results = Results()
    failure = None
    try:
        measure(plan(), results)
    except BenchFailed as failed:
        failure = failed
    if compared := goals.lines(results):
        print(f"{table.text(compared)}\n\n{table.verdict(compared)}")
    say(
        f"the benchmark failed: {failure}"
        if failure
        else "done; `python -m bench.report` writes docs/speed.md"
    )
    return int(failure is not None)


if __name__ == "__main__":
    sys.exit(main())
