"""Keep PostgreSQL's planner statistics up to date while tables grow quickly.

A district that the statistics don't contain yet seems to have no rows, so the planner chooses
nested loops over all pairs of rows: comparing 20,000 staged rows with each other took 250 s, and
0.02 s after an ANALYZE.
"""

from collections.abc import Sequence

from django.db import connection
from django.db.backends.utils import CursorWrapper

from rollbook.db.running_role import ANALYZE

SMALL_TABLE_ROWS = 100
"""With fewer rows, no plan is slow. Three nested loops over 500 rows took 76 s."""

FIRST_GROWTH_ROWS = 1000
"""How many rows a table gets before the statistics are updated for the first time."""


TARGET = 10
"""The statistics target: PostgreSQL reads 300 rows for each, and its default is 100.

What matters first is how many rows there are, which a small sample shows. For 600,000 staged rows,
that takes 0.04 s instead of 0.33 s. With few most common values, an update that isn't
among them is also taken for one of average size, and not for an empty one. PostgreSQL updates the
statistics with its default later.
"""


def analyze(*tables: str) -> None:
    """Update the statistics of tables, outside of a transaction; on SQLite, do nothing."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"SET default_statistics_target = {TARGET}")
            try:
                _analyze(cursor, tables)
            finally:
                cursor.execute("RESET default_statistics_target")


def _analyze(cursor: CursorWrapper, tables: Sequence[str]) -> None:
    cursor.execute("SELECT to_regprocedure(%s) IS NULL", [f"{ANALYZE}(text[])"])
    if cursor.fetchone()[0]:
        cursor.execute(f"ANALYZE {', '.join(tables)}")
    else:  # this role isn't the owner, who may do it
        cursor.execute(f"SELECT {ANALYZE}(%s)", [list(tables)])


class AnalyzeOnGrowth:
    """Updates the statistics of tables each time the number of added rows has doubled."""

    def __init__(self, *tables: str) -> None:
        self._tables = tables
        self._rows, self._analyze_at = 0, FIRST_GROWTH_ROWS

    def add_rows(self, rows: int) -> None:
        """Count added rows, and update the statistics if they are due."""
        self._rows += rows
        if self._rows >= self._analyze_at:
            analyze(*self._tables)
            self._analyze_at = 2 * self._rows


def disable_seqscan() -> None:
    """Make PostgreSQL use indexes instead of sequential scans until the transaction ends.

    A connection caches its plans for foreign keys. A plan from the time when the other table was
    empty scans that table for each row, however large it is now. Without this, the commits of a
    first load took ten of its 25 seconds.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")
