"""The connections that the threads of a web server keep or share."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import close_old_connections, connection, connections

from rollbook.db.connections import configure_for_web
from rollbook.server import gunicorn_app
from tests.patience import TIMEOUT_S

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def web() -> Iterator[None]:
    """Let new threads have the connections of a web server."""
    configure_for_web(gunicorn_app.THREADS)
    yield
    if connection.vendor == "postgresql":
        with ThreadPoolExecutor(1) as thread:
            thread.submit(lambda: connections["default"].close_pool()).result()  # type: ignore[attr-defined]


@pytest.mark.only_on("sqlite")
@pytest.mark.usefixtures("web")
def test_a_thread_keeps_its_connection_to_sqlite() -> None:
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


@pytest.mark.only_on("postgresql")
@pytest.mark.usefixtures("web")
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


@pytest.mark.only_on("postgresql")
@pytest.mark.usefixtures("web")
def test_postgresql_compiles_no_statement() -> None:
    """The servers of the tests never do, so it matters who has said so."""
    with ThreadPoolExecutor(1) as thread:
        assert thread.submit(_jit).result() == ("off", "client")


def _jit() -> tuple[str, str]:
    """Return the setting, and where it is from."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT setting, source FROM pg_settings WHERE name = 'jit'")
        setting, source = cursor.fetchone()
    connection.close()
    return setting, source
