"""The database backend for SQLite, whose writers take turns.

Waiting writers of SQLite poll, so a worker with back-to-back transactions always wins. Therefore
each transaction holds a shared lock on a file from BEGIN to COMMIT, and so does a statement that
writes without a transaction. Before each of its steps the worker acquires and releases an exclusive
lock on the same file (``turnstile.yield_to_other_writers``): it continues once all waiting writers
are done.
"""

import sqlite3
from typing import Any, cast

from django.db.backends.sqlite3 import base

from rollbook.db.sqlite.turnstile import Turnstile

_WRITES = ("INSERT", "UPDATE", "DELETE")


class Cursor(base.SQLiteCursorWrapper):
    """A cursor whose statements hold the lock if they write without a transaction."""

    turnstile: Turnstile | None = None

    def execute(self, query: str, params: Any = None) -> "Cursor":
        """Execute a statement; see sqlite3."""
        if not self.turnstile or self.connection.in_transaction or not query.startswith(_WRITES):
            return cast("Cursor", super().execute(query, params))
        self.turnstile.enter()
        try:
            return cast("Cursor", super().execute(query, params))
        finally:
            self.turnstile.leave()


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection that holds the turnstile's shared lock while it writes."""

    turnstile: Turnstile | None = None

    def get_new_connection(self, conn_params: dict[str, Any]) -> sqlite3.Connection:
        """Open the connection, and the file of the turnstile next to the database."""
        self.turnstile = Turnstile(f"{conn_params['database']}.turnstile")
        connection: sqlite3.Connection = super().get_new_connection(conn_params)
        return connection

    def create_cursor(self, name: str | None = None) -> Cursor:
        """Return a cursor that knows the turnstile."""
        cursor: Cursor = self.connection.cursor(factory=Cursor)
        cursor.turnstile = self.turnstile
        return cursor

    def _start_transaction_under_autocommit(self) -> None:
        if self.turnstile:
            self.turnstile.enter()
        try:
            super()._start_transaction_under_autocommit()  # type: ignore[misc]
        except BaseException:
            self._leave()
            raise

    def _commit(self) -> None:
        super()._commit()  # type: ignore[misc]
        self._leave()

    def _rollback(self) -> None:
        super()._rollback()  # type: ignore[misc]
        self._leave()

    def _close(self) -> None:
        super()._close()  # type: ignore[misc]
        self._leave()

    def _leave(self) -> None:
        if self.turnstile:
            self.turnstile.leave()
