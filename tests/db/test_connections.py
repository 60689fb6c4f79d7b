"""The pool of a web server's connections to PostgreSQL."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy

import pytest
from django.db import connection, connections

from rollbook.db.connections import configure_for_web
from rollbook.server import gunicorn_app
from tests.patience import TIMEOUT_S

pytestmark = [pytest.mark.only_on("postgresql"), pytest.mark.django_db(transaction=True)]


@pytest.fixture
def pooled(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let new threads share the connections of a web server."""
    monkeypatch.setitem(connections.settings, "default", deepcopy(connection.settings_dict))
    configure_for_web()
    yield
    with ThreadPoolExecutor(1) as thread:
        thread.submit(lambda: connections["default"].close_pool()).result()  # type: ignore[attr-defined]


@pytest.mark.usefixtures("pooled")
def test_no_request_waits_for_the_connection_of_another_one() -> None:
    """A large file keeps a connection while it is scanned, which can take longer than anyone waits.

    Otherwise senders and readers get `database_busy`.
    """
    everyone = threading.Barrier(gunicorn_app.THREADS, timeout=TIMEOUT_S)

    def request(number: int) -> int:
        with connection.cursor() as cursor:
            cursor.execute("SELECT %s", [number])
            everyone.wait()
            (found,) = cursor.fetchone()
        connection.close()
        return int(found)

    numbers = range(gunicorn_app.THREADS)
    with ThreadPoolExecutor(gunicorn_app.THREADS) as threads:
        assert list(threads.map(request, numbers)) == list(numbers)
