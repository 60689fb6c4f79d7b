"""Queries of every request, which Django turns into SQL once instead of each time.

Composing a statement takes Django ten times as long as the database takes to answer it. PostgreSQL
also prepares it once for each connection (``PREPARE_THRESHOLD``): planning one that selects 130
columns takes five times as long as running it.
"""

from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any, Generic, TypeVar

from django.db import DEFAULT_DB_ALIAS, connection
from django.db.models import Model, QuerySet, Value
from django.db.models.query import get_related_populators

M = TypeVar("M", bound=Model)

_MAX_INTEGER = (1 << 63) - 1
"""The largest one that a column can hold."""


class Parameter(Value):
    """A value that is passed when the query is run.

    Args:
        value: Its name.
        output_field: Its type.
    """

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        """Return a placeholder, and this parameter for what will replace it."""
        return "%s", (self,)


class CompiledQuery(Generic[M]):
    """A query whose ``Parameter`` values are passed each time.

    Args:
        compose: Returns the query; it is called once, when the query is first run.
    """

    def __init__(self, compose: Callable[[], QuerySet[M, Any]]) -> None:
        self._compose = compose

    @cached_property
    def _compiled(self) -> tuple[Any, str, list[Any], dict[int, Any]]:
        compiler = self._compose().query.get_compiler(connection=connection.copy())
        statement, parameters = compiler.as_sql()
        columns = [column for column, _, _ in compiler.select]
        return compiler, statement, list(parameters), compiler.get_converters(columns)

    def rows(self, **values: Any) -> Iterator[list[Any]]:
        """Run the query and return the columns of each row; none if an integer fits in no column.

        Args:
            values: The value of each parameter by its name.
        """
        integers = (value for value in values.values() if isinstance(value, int))
        if any(abs(integer) > _MAX_INTEGER for integer in integers):
            return iter(())
        compiler, statement, parameters, converters = self._compiled
        prepared = [_prepared(each, values) for each in parameters]
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                from psycopg import Cursor  # which SQLite doesn't need

                # Django's cursor writes the values into the text, which is then new each time.
                cursor.cursor = Cursor(connection.connection)
            cursor.execute(statement, prepared)
            found = cursor.fetchall()
        rows: Iterator[list[Any]] = compiler.apply_converters(found, converters)
        return rows

    def first(self, **values: Any) -> M | None:
        """Run a query for objects, and return the first one with those that it selects, too.

        Args:
            values: The value of each parameter by its name.
        """
        row = next(self.rows(**values), None)
        if row is None:
            return None
        select, of_model = self._compiled[0].select, self._compiled[0].klass_info
        places = of_model["select_fields"]
        names = [select[place][0].target.attname for place in places]
        model: type[M] = of_model["model"]
        found = model.from_db(DEFAULT_DB_ALIAS, names, row[places[0] : places[-1] + 1])
        # The type stubs are those of the next version, which has a fourth argument.
        related = get_related_populators(of_model, select, DEFAULT_DB_ALIAS)  # type: ignore[call-arg]
        for populator in related:
            populator.populate(row, found)
        return found


def _prepared(parameter: Any, values: dict[str, Any]) -> Any:
    """Return the value of a parameter in the form that the database expects."""
    if not isinstance(parameter, Parameter):
        return parameter
    return parameter.output_field.get_db_prep_value(values[parameter.value], connection)
