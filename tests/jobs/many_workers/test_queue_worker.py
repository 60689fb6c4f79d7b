"""A worker of one queue: what ends it, and that another one takes its place."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from django.db import connection
from procrastinate import App, JobContext
from procrastinate.contrib.django.django_connector import DjangoConnector
from procrastinate.tasks import configure_task

from rollbook.jobs.many_workers import job_queue, queue_worker
from rollbook.jobs.many_workers.queue_worker import QueueWorker
from tests.jobs.conftest import execute, forget_jobs

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
def at_work(app: App, concurrency: int = 1) -> Iterator[None]:
    stop = threading.Event()
    thread = threading.Thread(
        target=QueueWorker(app, QUEUE, concurrency, lambda job: job()).work, args=(stop,)
    )
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not is_so():
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
    with at_work(app):
        defer()
        until(lambda: len(done) == 2 and not statuses())
        assert len(workers()) == 1
    assert workers() == []


def test_a_job_that_fails_stays_as_a_note_and_the_next_one_is_done(done: list[int]) -> None:
    def task(context: JobContext) -> None:
        done.append(1)
        if len(done) == 1:
            raise ValueError("a fault of ours")

    app = an_app(task)
    defer()
    defer()
    with at_work(app):
        until(lambda: len(done) == 2)
    assert statuses() == ["failed"]


def test_a_job_in_hand_is_told_to_stop_and_waited_for(done: list[int]) -> None:
    begun = threading.Event()

    def task(context: JobContext) -> None:
        begun.set()
        while not context.should_abort():
            time.sleep(0.01)
        done.append(1)

    app = an_app(task)
    with at_work(app):
        defer()
        assert begun.wait(20)
    assert done == [1]
    assert (statuses(), workers()) == ([], [])


def test_so_many_jobs_at_a_time(done: list[int]) -> None:
    together = threading.Barrier(3)

    def task(context: JobContext) -> None:
        together.wait(20)
        done.append(1)

    app = an_app(task)
    for _ in range(3):
        defer()
    with at_work(app, 3):
        until(lambda: len(done) == 3)


def test_a_job_that_somebody_else_has_taken_away_makes_its_worker_begin_anew(
    done: list[int], caplog: pytest.LogCaptureFixture
) -> None:
    """As happens to a worker that was stopped for so long that it was thought dead."""

    def task(context: JobContext) -> None:
        if not done:
            forget_jobs()
            connection.close()
        done.append(1)

    app = an_app(task)
    defer()
    with at_work(app):
        until(lambda: done == [1])
        until(lambda: len(workers()) == 1)
        defer()
        until(lambda: done == [1, 1])
    assert "could not be recorded" in caplog.text


def test_sessions_that_are_ended_under_it_do_not_end_it(done: list[int]) -> None:
    app = an_app(lambda context: done.append(1))
    with at_work(app):
        for count in range(1, 6):
            execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            defer()
            until(lambda: len(done) == count)


def test_what_its_last_worker_held_is_free_when_it_begins_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(queue_worker, "backoff_seconds", lambda faults: 0.01)
    app = an_app(lambda context: None)
    ours = QueueWorker(app, QUEUE, 1, lambda job: job())
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO procrastinate_workers DEFAULT VALUES RETURNING id")
        (left_behind,) = cursor.fetchone()
    ours._left_behind = left_behind
    stop = threading.Event()
    thread = threading.Thread(target=ours.work, args=(stop,))
    thread.start()
    try:
        until(lambda: workers() not in ([], [left_behind]) and left_behind not in workers())
    finally:
        stop.set()
        thread.join()
