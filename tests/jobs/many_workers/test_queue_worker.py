"""A worker of one queue: when it ends, and how it is restarted."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from django.db import connection, transaction
from procrastinate import App, JobContext, PsycopgConnector
from procrastinate.contrib.django.django_connector import DjangoConnector
from procrastinate.exceptions import ConnectorException
from procrastinate.tasks import configure_task

from rollbook.jobs.many_workers import job_queue, queue_worker
from rollbook.jobs.many_workers.queue_worker import QueueWorker
from tests.jobs.conftest import delete_jobs, execute
from tests.patience import TIMEOUT_S

pytestmark = [pytest.mark.only_on("postgresql"), pytest.mark.usefixtures("no_jobs")]

QUEUE = "trials"
Task = Callable[[JobContext], None]


def an_app(task: Task) -> App:
    app = App(connector=DjangoConnector())
    app.task(name="trial", queue=QUEUE, pass_context=True)(task)
    return app


def defer() -> None:
    configure_task(name="trial", job_manager=job_queue.in_transaction, queue=QUEUE).defer()


@contextmanager
def running(app: App, concurrency: int = 1, *, listens: bool = False) -> Iterator[None]:
    stop = threading.Event()
    worker = QueueWorker(app, QUEUE, concurrency, lambda job: job(), listens=listens)
    thread = threading.Thread(target=worker.work, args=(stop,))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + TIMEOUT_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def workers() -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM procrastinate_workers ORDER BY id")
        return [pk for (pk,) in cursor.fetchall()]


def statuses() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT status FROM procrastinate_jobs ORDER BY id")
        return [status for (status,) in cursor.fetchall()]


@pytest.fixture
def done() -> list[int]:
    return []


def test_jobs_are_done_and_leave_nothing_behind(done: list[int]) -> None:
    app = an_app(lambda context: done.append(1))
    defer()
    with running(app):
        defer()
        until(lambda: len(done) == 2 and not statuses())
        assert len(workers()) == 1
    assert workers() == []


def test_a_failed_job_stays_in_the_table_and_the_next_one_is_done(done: list[int]) -> None:
    def task(context: JobContext) -> None:
        done.append(1)
        if len(done) == 1:
            raise ValueError("a bug")

    app = an_app(task)
    defer()
    defer()
    with running(app):
        until(lambda: len(done) == 2)
    assert statuses() == ["failed"]


def test_a_running_job_is_asked_to_stop_and_awaited(done: list[int]) -> None:
    started = threading.Event()

    def task(context: JobContext) -> None:
        started.set()
        while not context.should_abort():
            time.sleep(0.01)
        done.append(1)

    app = an_app(task)
    with running(app):
        defer()
        assert started.wait(TIMEOUT_S)
    assert done == [1]
    assert (statuses(), workers()) == ([], [])


def test_concurrency_is_the_number_of_jobs_at_a_time(done: list[int]) -> None:
    together = threading.Barrier(3)

    def task(context: JobContext) -> None:
        together.wait(TIMEOUT_S)
        done.append(1)

    app = an_app(task)
    for _ in range(3):
        defer()
    with running(app, 3):
        until(lambda: len(done) == 3)


def test_a_job_that_was_reclaimed_makes_its_worker_restart(
    done: list[int], caplog: pytest.LogCaptureFixture
) -> None:
    """This happens to a worker that was suspended until its heartbeat had expired."""

    def task(context: JobContext) -> None:
        if not done:
            delete_jobs()
            connection.close()
        done.append(1)

    app = an_app(task)
    defer()
    with running(app):
        until(lambda: done == [1])
        until(lambda: len(workers()) == 1)
        defer()
        until(lambda: done == [1, 1])
    assert "could not be recorded" in caplog.text


def test_terminated_connections_do_not_end_a_worker(done: list[int]) -> None:
    app = an_app(lambda context: done.append(1))
    with running(app):
        for _ in range(5):
            execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            done.clear()
            defer()
            until(lambda: len(done) == 1)


def test_a_restart_frees_the_jobs_of_the_previous_worker(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(queue_worker, "backoff_seconds", lambda error_count: 0.01)
    app = an_app(lambda context: None)
    worker = QueueWorker(app, QUEUE, 1, lambda job: job())
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO procrastinate_workers DEFAULT VALUES RETURNING id")
        (previous_id,) = cursor.fetchone()
    worker._previous_worker_id = previous_id
    stop = threading.Event()
    thread = threading.Thread(target=worker.work, args=(stop,))
    thread.start()
    try:
        until(lambda: workers() not in ([], [previous_id]) and previous_id not in workers())
    finally:
        stop.set()
        thread.join()


def listening(*, except_for: int = 0) -> int:
    """Wait for a connection that has just begun to listen for jobs; return its process ID."""
    statement = """
    SELECT pid FROM pg_stat_activity
    WHERE datname = current_database() AND query LIKE 'LISTEN %%trials%%' AND pid <> %s
    """
    found: list[int] = []

    def find() -> bool:
        with connection.cursor() as cursor:
            cursor.execute(statement, [except_for])
            found.extend(pid for (pid,) in cursor.fetchall())
        return bool(found)

    until(find)
    return found[0]


def test_a_job_is_taken_up_when_it_is_committed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue_worker, "POLL_INTERVAL_S", 10 * TIMEOUT_S)
    done = threading.Event()
    with running(an_app(lambda context: done.set()), listens=True):
        listening()
        with transaction.atomic():
            defer()
            assert not done.wait(0.2)
        assert done.wait(TIMEOUT_S)


def test_a_lost_connection_for_notifications_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue_worker, "POLL_INTERVAL_S", 10 * TIMEOUT_S)
    done = threading.Event()
    with running(an_app(lambda context: done.set()), listens=True):
        first, registered = listening(), workers()
        execute("SELECT pg_terminate_backend(%s)", first)
        listening(except_for=first)
        assert workers() == registered
        defer()
        assert done.wait(TIMEOUT_S)


def test_without_notifications_jobs_are_found_by_polling(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    attempts = []

    async def fail(*arguments: object) -> None:
        attempts.append(arguments)
        raise ConnectorException

    monkeypatch.setattr(queue_worker, "LISTEN_RETRY_S", 0.01)
    monkeypatch.setattr(PsycopgConnector, "listen_notify", fail)
    done = threading.Event()
    with running(an_app(lambda context: done.set()), listens=True):
        until(lambda: len(attempts) > 3)
        registered = workers()
        defer()
        assert done.wait(TIMEOUT_S)
        assert workers() == registered
