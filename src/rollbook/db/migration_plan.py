"""Describe what pending migrations will do: to which tables, with which locks, and how long."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any

from django.db import connection
from django.db.migrations import operations as django_operations
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.migration import Migration
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

from rollbook.text import count_of

_HOW = {
    "sqlite": "Nobody can write to the database until all have ended.",
    "postgresql": "Each locks its tables until it has ended.",
}
ESTIMATED_FROM_ROWS = 100_000
_ESTIMATE = "SELECT reltuples::bigint FROM pg_class WHERE oid = to_regclass(%s)"


class Lock(Enum):
    """What others can't do with a table until the migration has ended."""

    NONE = ""
    WRITE = "nobody can write to"
    ALL = "nobody can read or write"


class Work(Enum):
    """What the database does with the rows of a table."""

    NOTHING = 0
    READ = 1
    WRITE = 2
    UNKNOWN = 3


ROWS_PER_S = {Work.READ: 100_000, Work.WRITE: 20_000}
"""Rounded down from measurements on two shared cores, with 300,000 rows of 11 columns and six
indexes: 185,000 (PostgreSQL) and 280,000 (SQLite) for building one index, 29,000 and 25,000 for
writing the whole table again.
"""


@dataclass(frozen=True)
class Effect:
    """What one operation of a migration does.

    Attributes:
        description: The operation in words.
        table: The table that existed before; empty if there is none, or it isn't known.
        lock: The lock on the table.
        work: What is done with its rows.
    """

    description: str
    table: str = ""
    lock: Lock = Lock.NONE
    work: Work = Work.NOTHING


@dataclass(frozen=True)
class PlannedMigration:
    """A migration that has not been applied, and what its operations do."""

    name: str
    effects: list[Effect]


def make_plan() -> list[PlannedMigration]:
    """Return the pending migrations in their order; nothing is changed."""
    executor = MigrationExecutor(connection)
    pending = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if not pending:
        return []
    known = executor.loader.graph.nodes
    applied = [key for key in executor.loader.applied_migrations if key in known]
    state = executor.loader.project_state(applied)
    return [_plan(migration, state) for migration, _ in pending]


def describe(plan: list[PlannedMigration]) -> Iterator[str]:
    """Yield the lines that say what the plan will do, and how long."""
    seconds, is_known = 0.0, True
    for migration in plan:
        yield migration.name
        for effect in migration.effects:
            rows = _count_rows(effect.table)
            yield f"  {_describe(effect, rows)}"
            seconds += _seconds(effect.work, rows)
            is_known = is_known and effect.work is not Work.UNKNOWN
    rest = "" if is_known else ", and longer for what depends on the data"
    if plan:
        count = count_of(len(plan), "migration")
        yield f"{count}, {_duration(seconds)}{rest}. {_HOW[connection.vendor]}"


def _plan(migration: Migration, state: ProjectState) -> PlannedMigration:
    """Return what a migration does, and apply it to the state of the models."""
    effects: list[Effect] = []
    for operation in migration.operations:
        before = state.clone()
        operation.state_forwards(migration.app_label, state)
        effects += _effects(operation, migration.app_label, before, state)
    return PlannedMigration(f"{migration.app_label}.{migration.name}", effects)


def _effects(
    operation: Operation, app: str, before: ProjectState, after: ProjectState
) -> list[Effect]:
    if isinstance(operation, django_operations.SeparateDatabaseAndState):
        return [
            effect
            for inner in operation.database_operations
            for effect in _effects(inner, app, before, after)
        ]
    for kinds, rule in _RULES:
        if isinstance(operation, kinds):
            return [rule(operation, _Tables(app, before, after))]
    return [Effect(operation.describe(), work=Work.UNKNOWN)]


@dataclass(frozen=True)
class _Tables:
    """The models of an app before and after an operation."""

    app: str
    before: ProjectState
    after: ProjectState

    def of(self, operation: Any) -> str:
        """Return the table that the operation changes."""
        model_name = getattr(operation, "model_name", "") or operation.name
        model = self.before.models[self.app, model_name.lower()]
        return str(model.options.get("db_table") or f"{self.app}_{model.name_lower}")

    def fields(self, operation: Any) -> tuple[Any, Any]:
        """Return a field before and after the operation."""
        model, name = operation.model_name_lower, operation.name
        states = (self.before, self.after)
        old, new = (state.apps.get_model(self.app, model)._meta.get_field(name) for state in states)
        return old, new


def _nothing(operation: Any, tables: _Tables) -> Effect:
    return Effect(operation.describe())


def _at_once(operation: Any, tables: _Tables) -> Effect:
    return Effect(operation.describe(), tables.of(operation), Lock.ALL)


def _index(operation: Any, tables: _Tables) -> Effect:
    return Effect(operation.describe(), tables.of(operation), Lock.WRITE, Work.READ)


def _constraint(operation: Any, tables: _Tables) -> Effect:
    return Effect(operation.describe(), tables.of(operation), Lock.ALL, _on_sqlite(Work.READ))


def _add_field(operation: Any, tables: _Tables) -> Effect:
    field = operation.field
    work = Work.NOTHING
    if connection.vendor == "sqlite" and (not field.null or field.has_default()):
        work = Work.WRITE
    elif field.unique or field.db_index or field.remote_field:
        work = Work.READ
    return Effect(operation.describe(), tables.of(operation), Lock.ALL, work)


def _remove(operation: Any, tables: _Tables) -> Effect:
    return Effect(operation.describe(), tables.of(operation), Lock.ALL, _on_sqlite(Work.NOTHING))


def _alter_field(operation: Any, tables: _Tables) -> Effect:
    old, new = tables.fields(operation)
    if _options_in_database(old) == _options_in_database(new):
        return _nothing(operation, tables)
    if old.db_type(connection) != new.db_type(connection) and not _is_longer_text(old, new):
        work = Work.WRITE
    elif (old.null, old.unique, old.db_index) != (new.null, new.unique, new.db_index):
        work = Work.READ
    else:
        work = Work.NOTHING
    return Effect(operation.describe(), tables.of(operation), Lock.ALL, _on_sqlite(work))


def _options_in_database(field: Any) -> dict[str, Any]:
    """Return what the column depends on: the type and the options that the database knows."""
    options = field.deconstruct()[3].items()
    known = {name: value for name, value in options if name not in _ONLY_IN_PYTHON}
    return known | {"type": field.db_type(connection)}


def _is_longer_text(old: Any, new: Any) -> bool:
    lengths = getattr(old, "max_length", None), getattr(new, "max_length", None)
    is_same_kind = old.get_internal_type() == new.get_internal_type()
    return is_same_kind and bool(lengths[0] and lengths[1] and lengths[0] < lengths[1])


_ONLY_IN_PYTHON = {
    *("blank", "choices", "editable", "error_messages", "help_text", "limit_choices_to"),
    *("on_delete", "related_name", "related_query_name", "validators", "verbose_name"),
}


def _on_sqlite(elsewhere: Work) -> Work:
    """Return the work of operations for which SQLite has to write the table again."""
    return Work.WRITE if connection.vendor == "sqlite" else elsewhere


_Rule = Callable[[Any, _Tables], Effect]
_RULES: tuple[tuple[tuple[type[Operation], ...], _Rule], ...] = (
    (
        (
            django_operations.CreateModel,
            django_operations.AlterModelOptions,
            django_operations.AlterModelManagers,
        ),
        _nothing,
    ),
    ((django_operations.AddIndex,), _index),
    (
        (django_operations.AddConstraint, django_operations.AlterUniqueTogether),
        _constraint,
    ),
    ((django_operations.AddField,), _add_field),
    ((django_operations.RemoveField, django_operations.RemoveConstraint), _remove),
    ((django_operations.AlterField,), _alter_field),
    (
        (
            django_operations.DeleteModel,
            django_operations.RemoveIndex,
            django_operations.RenameIndex,
            django_operations.RenameField,
            django_operations.AlterModelTable,
        ),
        _at_once,
    ),
)
"""The first rule whose kind of operation matches applies."""


def _describe(effect: Effect, rows: int) -> str:
    if effect.work is Work.UNKNOWN:
        return f"{effect.description}: the time depends on the data"
    if effect.lock is Lock.NONE:
        return f"{effect.description}: locks no table, {_duration(0)}"
    size = f"{effect.table} ({count_of(rows, 'row')})"
    time = _duration(_seconds(effect.work, rows))
    return f"{effect.description}: {effect.lock.value} {size}, {time}"


def _seconds(work: Work, rows: int) -> float:
    return rows / ROWS_PER_S[work] if work in ROWS_PER_S else 0.0


def _duration(seconds: float) -> str:
    if seconds < 1:
        return "less than 1 second"
    if seconds < 120:
        return f"about {count_of(round(seconds), 'second')}"
    return f"about {count_of(round(seconds / 60), 'minute')}"


def _count_rows(table: str) -> int:
    """Return how many rows the table has; on PostgreSQL, an estimate if there are many.

    A table that an earlier migration of the plan will create has none.
    """
    if table not in connection.introspection.table_names():
        return 0
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(_ESTIMATE, [table])
            (estimate,) = cursor.fetchone() or (0,)
            if estimate >= ESTIMATED_FROM_ROWS:
                return int(estimate)
        cursor.execute(f"SELECT count(*) FROM {connection.ops.quote_name(table)}")
        return int(cursor.fetchone()[0])
