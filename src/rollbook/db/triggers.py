"""Database triggers: a registry of all of them, installed after every migration.

Each trigger is defined once for both databases. ``install_triggers`` can run any number of times;
``migrating.migrate_if_needed`` runs it again if a process was killed between a migration and its
triggers.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

_registered: dict[str, "Trigger"] = {}


@dataclass(frozen=True)
class Trigger:
    """A trigger for each row, or for each statement.

    Attributes:
        name: The name of the trigger, and on PostgreSQL of its function.
        event: When it fires, such as ``BEFORE UPDATE OF state ON updates_updatejob``.
        sqlite: The statement to execute, without a semicolon at its end; if empty, SQLite doesn't
            have the trigger.
        postgresql: The PL/pgSQL statements to execute, each with its semicolon.
        condition: An expression over OLD and NEW; if empty, the trigger always fires.
        sqlite_condition: Such an expression for SQLite only.
        per_statement: Whether PostgreSQL calls it once for a statement, such as TRUNCATE.
        transition_tables: The names under which PostgreSQL then offers the rows, if it does.
        setting: What PostgreSQL sets for its function, such as ``SET enable_nestloop = off``.
    """

    name: str
    event: str
    sqlite: str
    postgresql: str
    condition: str = ""
    sqlite_condition: str = ""
    per_statement: bool = False
    transition_tables: str = ""
    setting: str = ""

    def statements(self, vendor: str) -> Iterator[str]:
        """Yield the statements that create or replace the trigger."""
        scope = "STATEMENT" if self.per_statement else "ROW"
        if vendor == "sqlite":
            if not self.sqlite:
                return
            condition = _when(self.condition or self.sqlite_condition)
            yield f"DROP TRIGGER IF EXISTS {self.name}"
            yield (
                f"CREATE TRIGGER {self.name} {self.event} FOR EACH ROW {condition}"
                f" BEGIN {self.sqlite}; END"
            )
            return
        yield (
            f"CREATE OR REPLACE FUNCTION {self.name}() RETURNS trigger LANGUAGE plpgsql"
            f" {self.setting} AS $$ BEGIN {self.postgresql} END $$"
        )
        rows = f"REFERENCING {self.transition_tables}" if self.transition_tables else ""
        yield (
            f"CREATE OR REPLACE TRIGGER {self.name} {self.event} {rows} FOR EACH {scope}"
            f" {_when(self.condition)} EXECUTE FUNCTION {self.name}()"
        )


def _when(condition: str) -> str:
    return f"WHEN ({condition})" if condition else ""


def register_triggers(triggers: Iterable[Trigger]) -> None:
    """Add an app's triggers to the registry; called when the app is ready."""
    _registered.update({trigger.name: trigger for trigger in triggers})


def missing_triggers(connection: BaseDatabaseWrapper) -> list[str]:
    """Return the names of the registered triggers that the database does not have."""
    queries = {
        "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger'",
        "postgresql": "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal",
    }
    with connection.cursor() as cursor:
        cursor.execute(queries[connection.vendor])
        existing = {name for (name,) in cursor.fetchall()}
    expected = {name for name, each in _registered.items() if _is_for(each, connection)}
    return sorted(expected - existing)


def install_triggers(using: str, plan: object = None, **signal: Any) -> None:
    """Create or replace all triggers, after a migration or if one is missing.

    A receiver of the signal ``post_migrate``.
    """
    connection = connections[using]
    if not plan and not missing_triggers(connection):
        return
    if not _all_tables_exist(connection):
        return  # a migration up to a certain point only; the last one installs them
    with transaction.atomic(using), connection.cursor() as cursor:
        for trigger in _registered.values():
            for statement in trigger.statements(connection.vendor):
                cursor.execute(statement)


def _is_for(trigger: Trigger, connection: BaseDatabaseWrapper) -> bool:
    return connection.vendor != "sqlite" or bool(trigger.sqlite)


def _all_tables_exist(connection: BaseDatabaseWrapper) -> bool:
    tables = {trigger.event.rpartition(" ON ")[2] for trigger in _registered.values()}
    with connection.cursor() as cursor:
        return tables <= set(connection.introspection.table_names(cursor))


def drop_triggers(using: str, plan: object = None, **signal: Any) -> None:
    """Drop all triggers, because a migration on SQLite may rebuild a table that they refer to.

    A receiver of the signal ``pre_migrate``.
    """
    connection = connections[using]
    if not plan or connection.vendor != "sqlite":
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        for (name,) in cursor.fetchall():  # also those of an earlier release
            cursor.execute(f"DROP TRIGGER {name}")
