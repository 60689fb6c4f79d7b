"""Measures nightly files that are written differently: with quotes, or in another order of rows.

The students are the same; only what surrounds the cells differs, but for the commas, which a file
of its own puts into a cell of every row.
"""

import csv
import random
from collections.abc import Callable, Iterable
from pathlib import Path

from bench import students, works
from bench.databases import Database
from bench.plan import Plan
from bench.results import Results
from bench.students import COLUMNS, Files, Row

MAX_ROWS = 100_000
PLAIN, COMMAS, QUOTED, SHUFFLED = "plain", "a quoted comma in every row", "all quoted", "shuffled"
SHAPES = (PLAIN, COMMAS, QUOTED, SHUFFLED)
_COLUMN_WITH_COMMA = COLUMNS.index("ADDITIONAL_INFO_1")
_NAMES = ("base", "nightly")


class _Plain(csv.unix_dialect):
    quoting = csv.QUOTE_MINIMAL


class _AllQuoted(csv.unix_dialect):
    quoting = csv.QUOTE_ALL


def work_name(shape: str) -> str:
    """Return the name under which a nightly file of this shape is measured."""
    return f"nightly, {shape}"


def measure(plan: Plan, database: Database, results: Results) -> None:
    """Send each shape once, so that its rows are known; then measure its nights."""
    rows = min(MAX_ROWS, plan.most)
    plain = students.write(plan.folder, rows, order=plan.order)
    enrolled = works.enroll(plan, database, plain)
    meter = works.Meter(database, rows, results)
    with enrolled.serving():
        enrolled.send("base")
    for shape in SHAPES:
        enrolled.files = write(plan.folder, plain, shape)
        enrolled.current_file = works.UNKNOWN
        with enrolled.serving():
            enrolled.send("base")
        for run in range(plan.runs):
            meter.rollbook(work_name(shape), run, enrolled, "base" if run % 2 else "nightly")


def write(parent: Path, plain: Files, shape: str) -> Files:
    """Write base.csv and nightly.csv in this shape below ``parent``, or reuse them."""
    if shape == PLAIN:
        return plain
    folder = parent / f"{plain.folder.name}-{shape.replace(' ', '-')}"

    def write_files(begun: Path) -> None:
        for name in _NAMES:
            _rewrite(plain[name], begun / f"{name}.csv", shape)

    students.write_once(folder, write_files)
    return Files(folder, plain.rows)


def _rewrite(source: Path, target: Path, shape: str) -> None:
    with (
        source.open(encoding="utf-8", newline="") as read,
        target.open("w", encoding="utf-8", newline="") as written,
    ):
        rows = csv.reader(read)
        writer = csv.writer(written, _AllQuoted if shape == QUOTED else _Plain)
        writer.writerow(next(rows))
        writer.writerows(_ROWS.get(shape, iter)(rows))


def _with_commas(rows: Iterable[Row]) -> Iterable[Row]:
    for row in rows:
        row[_COLUMN_WITH_COMMA] = f"{row[_COLUMN_WITH_COMMA]}, north"
        yield row


def _shuffled(rows: Iterable[Row]) -> Iterable[Row]:
    """Return the rows in another order, the same for base and nightly."""
    shuffled = list(rows)
    random.Random(1).shuffle(shuffled)
    return shuffled


_ROWS: dict[str, Callable[[Iterable[Row]], Iterable[Row]]] = {
    COMMAS: _with_commas,
    SHUFFLED: _shuffled,
}
