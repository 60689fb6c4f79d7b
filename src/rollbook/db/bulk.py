"""Many rows written at once, inside the caller's transaction: COPY on PostgreSQL, executemany on SQLite.

Table and column names are ours and never come from outside.
"""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection
from django.db.models import Model

_IS_POSTGRESQL = connection.vendor == "postgresql"


def insert(table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Add these rows. A column that is not named takes the database's own value."""
    names = ", ".join(map(connection.ops.quote_name, columns))
    with connection.cursor() as cursor:
        if not _IS_POSTGRESQL:
            cursor.executemany(
                f"INSERT INTO {table} ({names}) VALUES ({', '.join(['%s'] * len(columns))})",
                list(rows),
            )
            return
        with (
            connection.wrap_database_errors,
            cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy,
        ):
            for row in rows:
                copy.write_row(row)


def new_keys(table: str, number: int) -> list[int]:
    """So many values for the ``id`` of rows that are to be inserted; nobody else gets them."""
    with connection.cursor() as cursor:
        if _IS_POSTGRESQL:
            cursor.execute(
                f"SELECT nextval('{table}_id_seq') FROM generate_series(1, %s)", [number]
            )
            return [key for (key,) in cursor.fetchall()]
        cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = %s", [table])
        (last,) = cursor.fetchone() or (0,)
        return list(range(last + 1, last + number + 1))


def update(model: type[Model], columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Give the rows of a model's table new values; each of ``rows`` ends with the ``id`` it is about."""
    if not rows:
        return
    table = model._meta.db_table
    with connection.cursor() as cursor:
        if not _IS_POSTGRESQL:
            assigned = ", ".join(f"{column} = %s" for column in columns)
            cursor.executemany(f"UPDATE {table} SET {assigned} WHERE id = %s", rows)
            return
        assigned = ", ".join(f"{column} = given.{column}" for column in columns)
        names = (*columns, "id")
        types = {field.column: field.db_type(connection) for field in model._meta.concrete_fields}
        types["id"] = "bigint"
        cursor.execute(
            f"UPDATE {table} SET {assigned}"
            f" FROM json_to_recordset(%s) AS given({', '.join(f'{name} {types[name]}' for name in names)})"
            f" WHERE {table}.id = given.id",
            [json.dumps([dict(zip(names, row, strict=True)) for row in rows])],
        )
