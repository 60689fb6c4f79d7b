"""A column that is compared without its index: where SQLite would take one though most rows are wanted."""

from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Func
from django.db.models.sql.compiler import SQLCompiler


class Unindexed(Func):
    """The column itself. SQLite does not know that most rows of a table have one value in it, and fetches them one by
    one as an index has them, which takes ten times as long as reading the table as it lies. PostgreSQL knows.
    """

    arity = 1
    template = "%(expressions)s"

    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **more: Any) -> Any:
        return self.as_sql(compiler, connection, template="+%(expressions)s", **more)
