"""A query expression for a column that SQLite should compare without its index."""

from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Func
from django.db.models.sql.compiler import SQLCompiler


class Unindexed(Func):
    """The column itself, with SQLite's unary ``+``, which rules out an index on it.

    If most rows have the same value in a column, fetching them one by one through the index takes
    ten times as long as scanning the table. PostgreSQL knows that from its statistics; SQLite
    doesn't.
    """

    arity = 1
    template = "%(expressions)s"

    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **more: Any) -> Any:
        """Return the SQL for SQLite."""
        return self.as_sql(compiler, connection, template="+%(expressions)s", **more)
