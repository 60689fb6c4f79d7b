"""The database as the rest of Rollbook sees it on one machine: SQLite whose writers take turns.

SQLite's own waiting is a race that a worker in back-to-back transactions always wins. So whoever begins a transaction
holds a shared lock on a file from BEGIN to COMMIT, and the worker passes through the same file exclusively before each
of its steps (``turnstile.let_others_pass``): it goes on only when all who were waiting have been served.
"""

import sqlite3
from typing import Any

from django.db.backends.sqlite3 import base

from rollbook.db.sqlite.turnstile import Turnstile


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection that stands in the turnstile while a transaction is open."""

    turnstile: Turnstile | None = None

    def get_new_connection(self, conn_params: dict[str, Any]) -> sqlite3.Connection:
        self.turnstile = Turnstile(f"{conn_params['database']}.turnstile")
        new: sqlite3.Connection = super().get_new_connection(conn_params)
        return new

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
