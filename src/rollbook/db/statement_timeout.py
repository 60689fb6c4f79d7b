"""A psycopg connection with a client-side statement timeout."""

from typing import Any

import psycopg
from psycopg.pq import TransactionStatus

STATEMENT_TIMEOUT_S = 10.0


class TimeoutConnection(psycopg.Connection[Any]):
    """A connection that is closed if a statement takes longer than ``STATEMENT_TIMEOUT_S``.

    A timeout on the server isn't enough: the server may be frozen or unreachable.
    """

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        """Wait for a result; called by psycopg."""
        try:
            return super().wait(gen, interval, STATEMENT_TIMEOUT_S if timeout is None else timeout)
        except psycopg.OperationalError:
            if self.pgconn.transaction_status == TransactionStatus.ACTIVE:
                self.close()
            raise
