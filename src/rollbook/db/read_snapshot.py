"""Read many tables as they were at one moment, without keeping others from writing."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction


@contextmanager
def read_snapshot() -> Iterator[None]:
    """Let every query within the block see the same state of the database; it can only read.

    Within a transaction, which tests may be in, nothing changes. On SQLite, the write-ahead log
    grows until the block ends.
    """
    if connection.in_atomic_block:
        yield
    elif connection.vendor == "postgresql":
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield
    else:
        with connection.cursor() as cursor:
            cursor.execute("BEGIN DEFERRED")  # unlike atomic(), which takes the lock for writing
            try:
                yield
            finally:
                cursor.execute("ROLLBACK")
