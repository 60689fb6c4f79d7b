"""How long the threads of a web server keep their connections."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import close_old_connections, connection, connections

from rollbook.db.connections import configure_for_web


@pytest.mark.only_on("sqlite")
@pytest.mark.django_db(transaction=True)
def test_a_thread_keeps_its_connection_to_sqlite(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(connections.settings, "default", connections.settings["default"].copy())
    configure_for_web()
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(_keeps_connection).result()


def _keeps_connection() -> bool:
    """Return whether the connection of a request is that of the next one."""
    connection.ensure_connection()
    first = connection.connection
    close_old_connections()
    kept = connection.connection is first
    connection.close()
    return kept
