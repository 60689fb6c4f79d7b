"""Write many rows at once, inside the caller's transaction: COPY on PostgreSQL, else executemany.

``delete`` removes many rows together, and ``one_by_one`` reads large ones.

Names of tables and columns are inserted into the SQL as they are, so they must be constants.
"""

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import chain
from operator import attrgetter
from typing import Any, TypeVar

from django.db import connection
from django.db.models import Model, QuerySet

from rollbook.db.json_keys import IN_JSON_INTEGERS, as_json_parameter

_Row = TypeVar("_Row", bound=Model)
_Item = TypeVar("_Item")

STATEMENT_ROWS = 100
"""Rows that SQLite inserts with one statement, which takes half as long as one by one."""

_IS_POSTGRESQL = connection.vendor == "postgresql"


def insert(
    table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]], *, is_sorted: bool = True
) -> None:
    """Insert rows.

    They are all computed first: that may need a query, such as for the versions of keys, and
    PostgreSQL waits forever for the end of a COPY on a connection that is queried meanwhile.

    Args:
        table: The name of the table.
        columns: The columns that ``rows`` contain; the others get their database default.
        rows: The values of ``columns``, row by row.
        is_sorted: Whether most keys come in the order of their index. If not, SQLite inserts row
            by row: a statement of several rows copies each page before it changes it.
    """
    names = ", ".join(map(connection.ops.quote_name, columns))
    computed = list(rows)
    with connection.cursor() as cursor:
        if not _IS_POSTGRESQL:
            values = f"({', '.join(['%s'] * len(columns))})"
            statement = f"INSERT INTO {table} ({names}) VALUES {values}"
            end = len(computed) - len(computed) % STATEMENT_ROWS if is_sorted else 0
            if end:
                parts = (computed[at : at + STATEMENT_ROWS] for at in range(0, end, STATEMENT_ROWS))
                together = [list(chain.from_iterable(part)) for part in parts]
                cursor.executemany(statement + f", {values}" * (STATEMENT_ROWS - 1), together)
            cursor.executemany(statement, computed[end:])
            return
        with (
            connection.wrap_database_errors,
            cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy,
        ):
            for row in computed:
                copy.write_row(row)


def insert_integers(table: str, columns: Sequence[str], rows: Sequence[Sequence[int]]) -> None:
    """Insert rows of integers; SQLite unpacks them from JSON, in half the time of executemany.

    Args:
        table: The name of the table.
        columns: The columns that ``rows`` contain.
        rows: The values of ``columns``, row by row.
    """
    if _IS_POSTGRESQL:
        insert(table, columns, rows)
        return
    values = ", ".join(f"value ->> {position}" for position in range(len(columns)))
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({', '.join(columns)}) SELECT {values} FROM json_each(%s)",
            [as_json_parameter(rows)],
        )


def insert_packed(model: type[_Row], objects: Iterable[_Row]) -> None:
    """Insert objects with packed bytes; PostgreSQL gets bytes as they are, not as digits.

    Args:
        model: The model, whose columns are numbers, texts and bytes.
        objects: New objects, one at a time in memory on PostgreSQL; they don't get their keys.
    """
    table = model._meta.db_table
    fields = [field for field in model._meta.concrete_fields if not field.primary_key]
    columns = [field.attname for field in fields]
    rows = map(attrgetter(*columns), objects)
    if not _IS_POSTGRESQL:
        insert(table, columns, rows)
        return
    types = [str(field.db_type(connection)).partition("(")[0] for field in fields]
    query = f"COPY {table} ({', '.join(columns)}) FROM STDIN (FORMAT BINARY)"
    with (
        connection.cursor() as cursor,
        connection.wrap_database_errors,
        cursor.copy(query) as copy,
    ):
        copy.set_types(types)
        for row in rows:
            copy.write_row(row)


def new_keys(table: str, number: int) -> list[int]:
    """Reserve primary keys for rows that will be inserted.

    Args:
        table: The name of the table; its primary key is ``id``.
        number: How many keys to reserve.
    """
    with connection.cursor() as cursor:
        if _IS_POSTGRESQL:
            cursor.execute(
                f"SELECT nextval('{table}_id_seq') FROM generate_series(1, %s)", [number]
            )
            return [key for (key,) in cursor.fetchall()]
        cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = %s", [table])
        (last,) = cursor.fetchone() or (0,)
        return list(range(last + 1, last + number + 1))


def update(
    model: type[Model],
    columns: Sequence[str],
    rows: Sequence[Sequence[Any]],
    cleared: Iterable[str] = (),
) -> None:
    """Update rows of a model's table.

    Args:
        model: The model.
        columns: The columns to set.
        rows: The new values of ``columns``, row by row, each followed by the row's ``id``.
        cleared: Other columns to set to NULL in all of these rows, or to an empty text where the
            column can't be NULL.
    """
    if not rows:
        return
    table = model._meta.db_table
    fixed = [_clear(model, column) for column in cleared]
    with connection.cursor() as cursor:
        if not _IS_POSTGRESQL:
            assignments = ", ".join([*(f"{column} = %s" for column in columns), *fixed])
            cursor.executemany(f"UPDATE {table} SET {assignments} WHERE id = %s", rows)
            return
        assignments = ", ".join([*(f"{column} = item.{column}" for column in columns), *fixed])
        names = (*columns, "id")
        types = {field.column: field.db_type(connection) for field in model._meta.concrete_fields}
        types["id"] = "bigint"
        definitions = ", ".join(f"{name} {types[name]}" for name in names)
        items = [dict(zip(names, row, strict=True)) for row in rows]
        cursor.execute(
            f"UPDATE {table} SET {assignments}"
            f" FROM json_to_recordset(%s) AS item({definitions})"
            f" WHERE {table}.id = item.id",
            [json.dumps(items)],
        )


def _clear(model: type[Model], column: str) -> str:
    field = model._meta.get_field(column)
    return f"{column} = NULL" if field.null else f"{column} = ''"


def delete(model: type[Model], column: str, keys: Collection[int]) -> int:
    """Delete the rows of a model's table that have one of these keys; return how many.

    Rows of other tables that refer to them have to be deleted first: unlike Django, this looks for
    none, and the database refuses the transaction if there are any.

    Args:
        model: The model; of a many-to-many relation, its ``through``.
        column: A column of integers.
        keys: The values of the column.
    """
    if not keys:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(
            f"DELETE FROM {model._meta.db_table} WHERE {column} {IN_JSON_INTEGERS}",
            [as_json_parameter(keys)],
        )
        count: int = cursor.rowcount
        return count


def one_by_one(stored: "QuerySet[Any, _Item]") -> Iterator[_Item]:
    """Yield rows with two at a time in memory; PostgreSQL would copy all of them for a cursor.

    Args:
        stored: The rows; those that are deleted meanwhile are left out.
    """
    first = list(stored[:2])
    following = list(stored.values_list("pk", flat=True)[1:]) if len(first) > 1 else []
    yield from first[:1]
    for pk in following:
        yield from stored.filter(pk=pk)
