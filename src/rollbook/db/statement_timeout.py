"""A session with PostgreSQL that keeps nobody waiting."""

from typing import Any

import psycopg
from psycopg.pq import TransactionStatus

STATEMENT_TIMEOUT_S = 10.0  # seconds that a client is kept waiting for one statement


class TimeoutConnection(psycopg.Connection[Any]):
    """A session that is given up when a statement gets no answer: the server may be frozen, or cut off."""

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        """Called by psycopg."""
        try:
            return super().wait(gen, interval, STATEMENT_TIMEOUT_S if timeout is None else timeout)
        except psycopg.OperationalError:
            if self.pgconn.transaction_status == TransactionStatus.ACTIVE:
                self.close()
            raise
