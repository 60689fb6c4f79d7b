"""Measures how the time of a nightly file grows with the number of rows; Rollbook only."""

from bench import students, works
from bench.databases import Database
from bench.plan import Plan
from bench.results import Results


def sizes(most: int) -> list[int]:
    """1,000, 3,000, 10,000, 30,000 … up to ``most``."""
    return [
        step * 10**power for power in range(3, 10) for step in (1, 3) if step * 10**power <= most
    ]


def measure(plan: Plan, database: Database, results: Results) -> None:
    """The sizes that the works have not measured already."""
    for rows in sizes(plan.most):
        if results.find(
            "timing", database=database.name, work="nightly", rows=rows, who="rollbook"
        ):
            continue
        meter = works.Meter(database, rows, results)
        enrolled = works.enroll(plan, database, students.write(plan.folder, rows, order=plan.order))
        with enrolled.serving():
            enrolled.send("base")
        for run in range(plan.runs):
            meter.rollbook("nightly", run, enrolled, "base" if run % 2 else "nightly")
