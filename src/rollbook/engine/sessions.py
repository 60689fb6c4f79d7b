"""How processes that stay up use PostgreSQL: what dies or freezes holds no row, session or client for long."""

from typing import Any

from django.db import connection, connections

# A worker that was stopped in the middle of a step has lost its rows before others take over (``keeper.LEASE``), and
# nobody waits longer for a row than that takes.
LIMITS = {"idle_in_transaction_session_timeout": "15s", "lock_timeout": "30s"}

# A network that swallows everything is noticed as soon. The last is in milliseconds.
NETWORK = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3, "tcp_user_timeout": 20_000}

MOST = 8  # sessions of a web server, whose threads share them
PATIENCE = 5.0  # seconds that a thread waits for one
IDLE = 5.0  # seconds in which one was not needed, and it is given back to the server, where a worker may wait for it


def of_a_worker() -> None:
    """Each thread keeps its session, and looks whether it still lives before it is used again."""
    _bound()
    connections.settings["default"] |= {"CONN_MAX_AGE": None, "CONN_HEALTH_CHECKS": True}


def of_a_web_server() -> None:
    """The threads share a few sessions; a thread that gets none, or no answer, can tell its client so."""
    if connection.vendor == "postgresql":
        from rollbook.engine.impatient import Impatient  # psycopg, which SQLite does not need

        _bound()
        shared = {"min_size": 0, "max_size": MOST, "timeout": PATIENCE, "max_idle": IDLE, "connection_class": Impatient}
        connections.settings["default"]["OPTIONS"]["pool"] = shared
        connections.settings["default"]["CONN_HEALTH_CHECKS"] = True


def _bound() -> None:
    options: dict[str, Any] = connections.settings["default"]["OPTIONS"]
    limits = [f"-c {name}={value}" for name, value in LIMITS.items()]
    options["options"] = " ".join([*limits, options.get("options", "")]).strip()
    options.update({name: value for name, value in NETWORK.items() if name not in options})
