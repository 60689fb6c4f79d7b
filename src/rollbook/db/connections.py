"""Timeouts and pools of PostgreSQL connections in long-running processes.

A process that dies or freezes must not hold row locks or connections for long, and a frozen server
must not block clients for long.
"""

from typing import Any

from django.db import connection, connections

# A worker that freezes within a transaction loses its row locks before its lease ends and other
# workers take over, and no statement waits longer for a row lock than that takes.
SESSION_LIMITS = {"idle_in_transaction_session_timeout": "15s", "lock_timeout": "30s"}

WITHOUT_JIT = {"jit": "off"}
"""PostgreSQL would compile large statements, of which none runs long enough to make up for it."""

# A network that drops all packets is detected in about the same time. Seconds, except for
# tcp_user_timeout, which libpq expects in milliseconds.
KEEPALIVE = {
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}

PREPARE_THRESHOLD = 5
"""How often a connection runs a compiled query before PostgreSQL prepares it."""

POOL_TIMEOUT_S = 5.0
"""How long a thread waits for a connection of the pool."""
MAX_IDLE_S = 5.0
"""How long an unused connection is kept; a worker may be waiting for one."""
MAX_AGE_S = 5.0
"""How long a thread keeps its connection to SQLite. One that was opened before the file became
read-only, or while it was, isn't aware of the change."""


def configure_for_worker() -> None:
    """Let each thread keep its connection, and check that it's alive before it's used again."""
    _set_session_limits()
    connections.settings["default"] |= {"CONN_MAX_AGE": None, "CONN_HEALTH_CHECKS": True}


def configure_for_web(threads: int) -> None:
    """Let threads share a pool of connections that time out, so that clients get an answer.

    On SQLite, each thread keeps its connection for a moment: a new one reads the whole schema.

    Args:
        threads: How many there are; each can have a connection, so none waits for another's scan.
    """
    if connection.vendor != "postgresql":
        connections.settings["default"]["CONN_MAX_AGE"] = MAX_AGE_S
        return
    from rollbook.db.statement_timeout import TimeoutConnection  # imports psycopg

    _set_session_limits()
    pool = {
        "min_size": 0,
        "max_size": threads,
        "timeout": POOL_TIMEOUT_S,
        "max_idle": MAX_IDLE_S,
        "connection_class": TimeoutConnection,
    }
    connections.settings["default"]["OPTIONS"]["pool"] = pool
    connections.settings["default"]["CONN_HEALTH_CHECKS"] = True


def _set_session_limits() -> None:
    """Set limits and keepalives, which DATABASE_URL overrides, and ``PREPARE_THRESHOLD``."""
    options: dict[str, Any] = connections.settings["default"]["OPTIONS"]
    limits = [f"-c {name}={value}" for name, value in (SESSION_LIMITS | WITHOUT_JIT).items()]
    options["options"] = " ".join([*limits, options.get("options", "")]).strip()
    for name, value in KEEPALIVE.items():
        options.setdefault(name, value)
    options["prepare_threshold"] = PREPARE_THRESHOLD
