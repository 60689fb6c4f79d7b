"""How processes that stay up use PostgreSQL: what dies or freezes holds no row, session or client for long."""

from typing import Any

from django.db import connection, connections

# A worker that was stopped in the middle of a step has lost its rows before others take over (``keeper.LEASE``), and
# nobody waits longer for a row than that takes.
SESSION_LIMITS = {"idle_in_transaction_session_timeout": "15s", "lock_timeout": "30s"}

# A network that swallows everything is noticed as soon. The last is in milliseconds.
KEEPALIVE = {
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}

MAX_POOL_SIZE = 8  # sessions of a web server, whose threads share them
POOL_TIMEOUT_S = 5.0  # seconds that a thread waits for one
MAX_IDLE_S = 5.0  # seconds in which one was not needed, and it is given back to the server, where a worker may wait for it


def configure_for_worker() -> None:
    """Each thread keeps its session, and looks whether it still lives before it is used again."""
    _set_session_limits()
    connections.settings["default"] |= {"CONN_MAX_AGE": None, "CONN_HEALTH_CHECKS": True}


def configure_for_web() -> None:
    """The threads share a few sessions; a thread that gets none, or no answer, can tell its client so."""
    if connection.vendor == "postgresql":
        from rollbook.db.statement_timeout import (
            TimeoutConnection,
        )  # psycopg, which SQLite does not need

        _set_session_limits()
        shared = {
            "min_size": 0,
            "max_size": MAX_POOL_SIZE,
            "timeout": POOL_TIMEOUT_S,
            "max_idle": MAX_IDLE_S,
            "connection_class": TimeoutConnection,
        }
        connections.settings["default"]["OPTIONS"]["pool"] = shared
        connections.settings["default"]["CONN_HEALTH_CHECKS"] = True


def _set_session_limits() -> None:
    options: dict[str, Any] = connections.settings["default"]["OPTIONS"]
    limits = [f"-c {name}={value}" for name, value in SESSION_LIMITS.items()]
    options["options"] = " ".join([*limits, options.get("options", "")]).strip()
    options.update({name: value for name, value in KEEPALIVE.items() if name not in options})
