"""What is to be measured: every ``BENCH_…`` variable, and the only place that reads them."""

import os
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

DATABASES = ("sqlite", "postgres")
PARTS = (
    "works",
    "peers",
    "growth",
    "shapes",
    "small",
    "latency",
    "upload",
    "encryption",
    "pages",
    "plans",
    "workers",
    "large",
)
ORDERS = ("id", "school")
VARIABLES = {
    "BENCH_ROWS": "numbers of students, such as 10000,100000 (minutes); 10000,100000,1000000",
    "BENCH_PEER_ROWS": "those for other importers; each of BENCH_ROWS up to 100000",
    "BENCH_RUNS": "how often each is measured; 5",
    "BENCH_ORDER": f"how the rows are sorted: {' or '.join(ORDERS)}; id",
    "BENCH_DATABASES": f"some of {','.join(DATABASES)}; all of them",
    "BENCH_PARTS": f"some of {','.join(PARTS)}; all of them",
    "BENCH_FOLDER": "for files and databases, on the disk to be measured; a temporary one",
    "BENCH_OUTPUT": "the file for the results; bench/results.json",
    "BENCH_POSTGRES": "the URL of a superuser of your own server; a server is started",
    "BENCH_NOTE": "what a reader of the results should know about the machine; nothing",
}
"""What each variable means, and behind the semicolon what holds without it."""
_BEGUN = time.monotonic()


class BenchFailed(Exception):
    """A measurement is not worth anything; the text says why and what to do."""


@dataclass(frozen=True)
class Plan:
    """What to measure.

    ``rows`` ascend; ``peer_rows`` are for the fastest use of django-import-export; ``postgres`` is
    a URL or ""; ``note`` is what readers of the results should also know about the machine.
    """

    rows: tuple[int, ...]
    peer_rows: tuple[int, ...]
    runs: int
    order: str
    databases: tuple[str, ...]
    parts: tuple[str, ...]
    folder: Path
    output: Path
    postgres: str
    note: str

    @property
    def most(self) -> int:
        """The largest number of rows."""
        return self.rows[-1]


def plan(environment: Mapping[str, str] = os.environ) -> Plan:
    """Read the environment; raises BenchFailed where it makes no sense."""
    rows = _numbers(environment, "BENCH_ROWS", "10000,100000,1000000")
    peer_rows = _numbers(
        environment,
        "BENCH_PEER_ROWS",
        ",".join(str(n) for n in rows if n <= 100_000) or str(rows[0]),
    )
    runs = _numbers(environment, "BENCH_RUNS", "5")[0]
    return Plan(
        rows=rows,
        peer_rows=peer_rows,
        runs=runs,
        order=_words(environment, "BENCH_ORDER", ORDERS)[0],
        databases=_words(environment, "BENCH_DATABASES", DATABASES),
        parts=_words(environment, "BENCH_PARTS", PARTS),
        folder=Path(
            environment.get("BENCH_FOLDER") or Path(tempfile.gettempdir()) / "rollbook-bench"
        ).absolute(),
        output=Path(
            environment.get("BENCH_OUTPUT") or Path(__file__).with_name("results.json")
        ).absolute(),
        postgres=environment.get("BENCH_POSTGRES", ""),
        note=environment.get("BENCH_NOTE", ""),
    )


def say(text: str) -> None:
    """A line of progress, with the time since the beginning."""
    minutes, seconds = divmod(int(time.monotonic() - _BEGUN), 60)
    print(f"{minutes:3}:{seconds:02}  {text}", file=sys.stderr, flush=True)


def _numbers(environment: Mapping[str, str], name: str, default: str) -> tuple[int, ...]:
    text = environment.get(name) or default
    try:
        numbers = tuple(sorted({int(word) for word in text.split(",")}))
    except ValueError:
        raise BenchFailed(
            f"{name} is {text!r}; write numbers with commas between them, such as 10000,100000"
        ) from None
    if numbers[0] < 1:
        raise BenchFailed(f"{name} is {text!r}; numbers begin at 1")
    return numbers


def _words(environment: Mapping[str, str], name: str, known: tuple[str, ...]) -> tuple[str, ...]:
    words = (environment.get(name) or ",".join(known)).split(",")
    if unknown := [word for word in words if word not in known]:
        raise BenchFailed(f"{name} names {', '.join(unknown)}; known are {', '.join(known)}")
    return tuple(word for word in known if word in words)
