"""``python -m bench``: runs the measurements of the plan, saves them and prints the table."""

import argparse
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

from bench import (
    databases,
    encryption,
    goals,
    growth,
    large,
    latency,
    pages,
    peers,
    plans,
    shapes,
    small,
    table,
    upload,
    workers,
    works,
)
from bench.databases import Database
from bench.plan import VARIABLES, BenchFailed, Plan, plan, say
from bench.results import Results
from rollbook.version import VERSION


def measure(requested: Plan, results: Results) -> None:
    """Run all parts of the plan on each database; save the results even if a later part fails."""
    began = time.monotonic()
    with databases.databases(requested) as all_databases, _saved(requested, results):
        results.machine = databases.machine(requested.folder) | {
            "rollbook": VERSION,
            "date": f"{datetime.now(UTC):%Y-%m-%d}",
            "databases": {database.name: database.facts() for database in all_databases},
            "note": requested.note,
        }
        results.plan = {
            "rows": requested.rows,
            "runs": requested.runs,
            "order": requested.order,
            "parts": requested.parts,
        }
        for database in all_databases:
            for name in requested.parts:
                _PARTS[name](requested, database, results)
                results.machine["minutes"] = round((time.monotonic() - began) / 60, 1)
                results.save(requested.output)


@contextmanager
def _saved(requested: Plan, results: Results) -> Iterator[None]:
    try:
        yield
    finally:
        results.save(requested.output)


def _works(requested: Plan, database: Database, results: Results) -> None:
    for rows in requested.rows:
        enrolled = works.measure(requested, database, rows, results)
        if rows == requested.most:
            latency.cancels(requested, enrolled, results)


def _peers(requested: Plan, database: Database, results: Results) -> None:
    for rows in requested.peer_rows:
        peers.measure(requested, database, rows, results)


def _workers(requested: Plan, database: Database, results: Results) -> None:
    if database.name == "postgres":  # SQLite is for one worker
        workers.measure(requested, database, results)


_PARTS: dict[str, Callable[[Plan, Database, Results], None]] = {
    "works": _works,
    "peers": _peers,
    "growth": growth.measure,
    "shapes": shapes.measure,
    "small": small.measure,
    "latency": latency.measure,
    "upload": upload.measure,
    "encryption": encryption.measure,
    "pages": pages.measure,
    "plans": plans.measure,
    "workers": _workers,
    "large": large.measure,
}


def main(words: Sequence[str]) -> int:
    """Return 1 if a measurement failed; a missed goal is reported, but isn't a failure."""
    _parser().parse_args(words)
    signal.signal(
        signal.SIGTERM, lambda number, frame: sys.exit(1)
    )  # so that all child processes are stopped
    results = Results()
    failure = None
    try:
        measure(plan(), results)
    except BenchFailed as failed:
        failure = failed
    if compared := goals.lines(results):
        print(f"{table.text(compared)}\n\n{table.verdict(compared)}")
    if failure:
        say(f"the benchmark failed: {failure}")
    else:
        say("done; `python -m bench.report` writes docs/speed.md")
    return int(failure is not None)


def _parser() -> argparse.ArgumentParser:
    """Return a parser for ``--help``; there are no arguments."""
    width = max(map(len, VARIABLES))
    lines = [f"  {name:{width}}  {meaning}" for name, meaning in VARIABLES.items()]
    return argparse.ArgumentParser(
        prog="python -m bench",
        allow_abbrev=False,
        description="Compare Rollbook's speed with other importers, which takes hours.",
        epilog="\n".join(["environment variables:", *lines]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
