"""PostgreSQL plans by statistics that lag behind a table which is being filled: they are brought up here and now.

A district that is new to the statistics seems to have no rows, and joins that look at every pair of them seem cheap:
20,000 staged rows took 250 s to be compared with each other, and 0.02 s behind an ANALYZE.
"""

from django.db import connection

SMALL_TABLE_ROWS = 1000  # rows, for which no plan is too slow


def analyze(*tables: str) -> None:
    """Outside of a transaction. It reads a sample of each table, some 0.1 s; SQLite needs none of this."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"ANALYZE {', '.join(tables)}")


class AnalyzeOnGrowth:
    """Brings the statistics of tables up again whenever what came in since has doubled."""

    def __init__(self, *tables: str) -> None:
        self._tables = tables
        self._rows, self._due = 0, SMALL_TABLE_ROWS

    def add_rows(self, rows: int) -> None:
        """So many rows more."""
        self._rows += rows
        if self._rows >= self._due:
            analyze(*self._tables)
            self._due = 2 * self._rows


def disable_seqscan() -> None:
    """Until the caller's transaction ends, PostgreSQL reads no table whole in which an index finds the row.

    A session keeps its plans for foreign keys: one made while the other table was empty reads all of it for each row,
    whatever came into it since. That made the commits of a first load take ten seconds of its 25.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")
