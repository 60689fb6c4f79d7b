"""Measures small files on a server that is already running: from the last byte to the end."""

from statistics import median

from bench import students, works
from bench.databases import Database
from bench.plan import Plan, say
from bench.results import Results

SIZES = (500, 10_000)
_UPDATES = 20


def measure(plan: Plan, database: Database, results: Results) -> None:
    """Send nightly and base by turns to one server, for each size."""
    for rows in SIZES:
        enrolled = works.enroll(plan, database, students.write(plan.folder, rows, order=plan.order))
        with enrolled.serving():
            enrolled.send("base")
            took = [
                enrolled.send("base" if number % 2 else "nightly").seconds
                for number in range(_UPDATES)
            ]
        seconds = [round(each, 4) for each in took]
        results.add("small", database=database.name, rows=rows, seconds=seconds)
        say(f"{database.name:9} small       {rows:>9,} rows  median {median(took):.3f} s")
