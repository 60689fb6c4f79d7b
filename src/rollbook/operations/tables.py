"""The tables of a database with their columns, and a digest of the rows of each.

A digest is the same on SQLite and PostgreSQL, and does not depend on the version of Rollbook that
computes it: the tables are those of the migrations that the database has had. So it verifies that
a backup was restored, or that a move has copied everything.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, Protocol

from django.apps import apps as current_apps
from django.apps.registry import Apps
from django.db import models
from django.db.migrations.loader import MigrationLoader

ROWS_PER_FETCH = 500
NOT_OURS = frozenset({"procrastinate"})
"""Apps whose tables contain nothing that isn't created again: the job queue."""


class Cursor(Protocol):
    """A cursor of a database driver, as far as it is used here."""

    def execute(self, query: str) -> object:
        """Execute a query without parameters."""

    def fetchmany(self, size: int = ...) -> Sequence[Sequence[Any]]:
        """Fetch the next rows; none after the last one."""


class Kind(Enum):
    """How the values of a column are stored, where the two databases differ."""

    PLAIN = auto()
    BOOLEAN = auto()
    DATE = auto()
    DATETIME = auto()
    JSON = auto()
    BINARY = auto()
    UUID = auto()
    ADDRESS = auto()


@dataclass(frozen=True, slots=True)
class Column:
    """A column."""

    name: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Table:
    """A table.

    Attributes:
        name: Its name.
        key: The column of its primary key.
        columns: All columns, sorted by name.
        refers_to: The names of the other tables to which its foreign keys refer.
    """

    name: str
    key: Column
    columns: tuple[Column, ...]
    refers_to: frozenset[str]

    @property
    def rows_per_fetch(self) -> int:
        """How many rows to hold in memory; one with binary data may have a megabyte or more."""
        has_binary = any(column.kind is Kind.BINARY for column in self.columns)
        return 1 if has_binary else ROWS_PER_FETCH


@dataclass(frozen=True, slots=True)
class TableDigest:
    """The number of rows of a table, and the SHA-256 over all of them in order."""

    rows: int
    digest: str


_KINDS: tuple[tuple[type["models.Field[Any, Any]"], Kind], ...] = (
    (models.BooleanField, Kind.BOOLEAN),
    (models.DateTimeField, Kind.DATETIME),  # before its base class
    (models.DateField, Kind.DATE),
    (models.JSONField, Kind.JSON),
    (models.BinaryField, Kind.BINARY),
    (models.UUIDField, Kind.UUID),
    (models.GenericIPAddressField, Kind.ADDRESS),
)

# The SQL expression of a value that the driver returns as text, number or null, the same on both.
_TIME_FORMAT = "'YYYY-MM-DD HH24:MI:SS.US'"
_CANONICAL_SQL = {
    "sqlite": {
        Kind.BOOLEAN: "CAST({0} AS INTEGER)",
        Kind.DATE: "CAST({0} AS TEXT)",
        Kind.DATETIME: "CASE WHEN length({0}) = 19 THEN {0} || '.000000' ELSE {0} END",
    },
    "postgresql": {
        Kind.BOOLEAN: "{0}::int",
        Kind.DATE: "to_char({0}, 'YYYY-MM-DD')",
        Kind.DATETIME: f"to_char({{0}} AT TIME ZONE 'UTC', {_TIME_FORMAT})",
        Kind.JSON: "{0}::text",
        Kind.BINARY: "encode(sha256({0}), 'hex')",  # a row may have 16 MB
        Kind.UUID: "replace({0}::text, '-', '')",
        Kind.ADDRESS: "host({0})",
    },
}


def tables_of(migrations: Iterable[tuple[str, str]]) -> list[Table]:
    """Return the tables of a database with these migrations, those that others refer to first.

    Args:
        migrations: Pairs of app and name. Unknown ones are ignored.
    """
    models_ = _apps(set(migrations)).get_models(include_auto_created=True)
    ours = filter(lambda model: model._meta.app_label not in NOT_OURS, models_)
    return _in_order([_table(model) for model in ours])


def current_tables() -> list[Table]:
    """Return the tables of this version of Rollbook, those that others refer to first."""
    return tables_of(MigrationLoader(None, ignore_no_migrations=True).disk_migrations)


def digest_table(cursor: Cursor, vendor: str, table: Table) -> TableDigest:
    """Compute the digest of a table, holding only a few rows in memory.

    Args:
        cursor: A cursor that doesn't fetch all rows at once.
        vendor: ``sqlite`` or ``postgresql``.
        table: The table.
    """
    expressions = [canonical(column, vendor) for column in table.columns]
    convert = _converters(table, vendor)
    names = [column.name for column in table.columns]
    digest, count = hashlib.sha256(json.dumps(names).encode()), 0
    encode = json.JSONEncoder(separators=(",", ":")).encode
    for row in select_rows(cursor, table, expressions):
        digest.update(b"\n" + encode(convert(row)).encode())
        count += 1
    return TableDigest(count, digest.hexdigest())


def select_rows(
    cursor: Cursor, table: Table, expressions: Sequence[str], condition: str = ""
) -> Iterator[Sequence[Any]]:
    """Yield the rows of a table, ordered by its primary key."""
    where = f"WHERE {condition}" if condition else ""
    selection = f'SELECT {", ".join(expressions)} FROM "{table.name}"'
    cursor.execute(f'{selection} {where} ORDER BY "{table.key.name}"')
    while rows := cursor.fetchmany(table.rows_per_fetch):
        yield from rows


def canonical(column: Column, vendor: str) -> str:
    """Return the SQL expression of a value that is the same on both databases.

    The driver returns it as text, a number or null. JSON and binary data on SQLite are the
    exceptions; ``digest_table`` converts them.
    """
    name = f'"{column.name}"'
    return _CANONICAL_SQL[vendor].get(column.kind, "{0}").format(name)


def _apps(migrations: set[tuple[str, str]]) -> Apps:
    """Return the models of a database with these migrations."""
    loader = MigrationLoader(None, ignore_no_migrations=True)
    known = {key for key in loader.disk_migrations if key[0] not in NOT_OURS}
    if known <= migrations:
        return current_apps
    return loader.project_state(sorted(known & migrations)).apps


def _table(model: type[models.Model]) -> Table:
    meta = model._meta
    fields: list[Any] = list(meta.local_concrete_fields)
    columns = sorted(map(_column, fields), key=lambda column: column.name)
    targets = {field.related_model._meta.db_table for field in fields if field.is_relation}
    return Table(
        meta.db_table, _column(meta.pk), tuple(columns), frozenset(targets - {meta.db_table})
    )


def _column(field: Any) -> Column:
    value_field = field
    while value_field.is_relation:
        value_field = value_field.target_field
    kinds = (kind for type_, kind in _KINDS if isinstance(value_field, type_))
    return Column(field.column, next(kinds, Kind.PLAIN))


def _in_order(tables: Sequence[Table]) -> list[Table]:
    """Sort tables so that each comes after those that it refers to."""
    waiting = sorted(tables, key=lambda table: table.name)
    names = {table.name for table in tables}
    ordered: list[Table] = []
    done: set[str] = set()
    while waiting:
        ready = [table for table in waiting if table.refers_to & names <= done]
        if not ready:
            raise ValueError(f"tables refer to each other: {[table.name for table in waiting]}")
        ordered += ready
        done.update(table.name for table in ready)
        waiting = [table for table in waiting if table.name not in done]
    return ordered


def _converters(table: Table, vendor: str) -> Callable[[Sequence[Any]], Sequence[Any]]:
    """Return a function that turns a row into values that JSON has, the same on both databases."""
    conversions: list[tuple[int, Callable[[Any], Any]]] = []
    for at, column in enumerate(table.columns):
        if column.kind is Kind.JSON:
            conversions.append((at, _canonical_json))
        elif column.kind is Kind.BINARY and vendor == "sqlite":
            conversions.append((at, lambda value: hashlib.sha256(value).hexdigest()))
    if not conversions:
        return lambda row: row

    def convert(row: Sequence[Any]) -> Sequence[Any]:
        values = list(row)
        for at, conversion in conversions:
            if values[at] is not None:
                values[at] = conversion(values[at])
        return values

    return convert


def _canonical_json(text: str) -> str:
    """Return JSON with sorted keys: PostgreSQL sorts them in its own way."""
    return json.dumps(json.loads(text), sort_keys=True, separators=(",", ":"))
