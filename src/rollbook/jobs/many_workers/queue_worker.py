"""Run a worker of Procrastinate on one queue, in the calling thread; restart it after an error.

Whatever fails, such as writing a heartbeat or the end of a job, has the same consequence: a new
worker is started. It takes up the jobs that the previous one still held, sooner than the reaper
would.
"""

import asyncio
import logging
import threading
import time
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from procrastinate import App, JobContext, PsycopgConnector
from procrastinate.connector import Notify
from procrastinate.contrib.django import connector_params
from procrastinate.exceptions import ConnectorException
from procrastinate.worker import Worker
from psycopg_pool import AsyncConnectionPool

from rollbook.jobs.backoff import backoff_seconds
from rollbook.jobs.many_workers import reaper

POLL_INTERVAL_S = 0.5  # also how delayed jobs are found, and those of lost notifications
LISTEN_RETRY_S = 5.0  # after the connection for notifications could not be opened
STOP_CHECK_INTERVAL_S = 0.1
STABLE_AFTER_S = 10.0  # errors further apart are not errors in a row
DATABASE_TIMEOUT_S = 10.0  # a shorter outage of the database has no consequences

log = logging.getLogger(__name__)

JobRunner = Callable[[Callable[[], Any]], Any]


class _Connector(PsycopgConnector):
    """A connector that keeps listening; the worker would end if it could not."""

    async def listen_notify(self, on_notification: Notify, channels: Iterable[str]) -> None:
        """Call a function for each notification; one that is lost is made up for by polling."""
        while True:
            with suppress(ConnectorException):
                await super().listen_notify(on_notification, channels)
            await asyncio.sleep(LISTEN_RETRY_S)


class QueueWorker:
    """Does the jobs of one queue in a number of threads."""

    def __init__(
        self,
        app: App,
        queue: str,
        concurrency: int,
        run_job: JobRunner,
        *,
        listens: bool = False,
    ) -> None:
        """Create the worker.

        Args:
            app: The app with the tasks of the queue.
            queue: The name of the queue.
            concurrency: The number of threads.
            run_job: Is called with each job, in the job's thread, and has to call it.
            listens: Whether to take jobs up as soon as they are committed, which needs one more
                connection; otherwise, they are found by polling.
        """
        self._app, self._queue, self._concurrency = app, queue, concurrency
        self._run_job, self._listens = run_job, listens
        self._previous_worker_id: int | None = None  # of a worker that is still registered

    def work(self, stop: threading.Event) -> None:
        """Do jobs until ``stop`` is set, then finish the current step."""
        error_count = 0
        while not stop.is_set():
            started = time.monotonic()
            try:
                asyncio.run(self._run_until(stop))
            except Exception:
                log.warning(
                    "the worker of the queue %s could not continue", self._queue, exc_info=True
                )
            if not stop.is_set():
                is_in_a_row = time.monotonic() - started < STABLE_AFTER_S
                error_count = error_count + 1 if is_in_a_row else 1
                stop.wait(backoff_seconds(error_count))

    async def _run_until(self, stop: threading.Event) -> None:
        worker = asyncio.create_task(self._run_worker())
        while not worker.done() and not stop.is_set():
            await asyncio.wait([worker], timeout=STOP_CHECK_INTERVAL_S)
        worker.cancel()  # Procrastinate's worker then shuts down in an orderly way
        with suppress(asyncio.CancelledError):
            await worker

    async def _run_worker(self) -> None:
        threads = ThreadPoolExecutor(self._concurrency, self._queue)
        asyncio.get_running_loop().set_default_executor(threads)
        async with _connection_pool() as pool:
            with self._app.replace_connector(_Connector()) as app:
                await app.open_async(pool)
                await self._unregister_previous()
                worker = self._worker(app)
                try:
                    await worker.run()
                finally:
                    self._previous_worker_id = worker.worker_id

    def _worker(self, app: App) -> Any:
        return Worker(
            app,
            queues=[self._queue],
            name=self._queue,
            concurrency=self._concurrency,
            fetch_job_polling_interval=POLL_INTERVAL_S,
            abort_job_polling_interval=60.0,
            shutdown_graceful_timeout=0,  # jobs get the signal at once; their end is awaited
            listen_notify=self._listens,
            delete_jobs="successful",
            install_signal_handlers=False,
            update_heartbeat_interval=reaper.HEARTBEAT_INTERVAL_S,
            stalled_worker_timeout=reaper.LEASE_S,
            task_middleware=[lambda call, context, worker: self._run_job(call)],
            worker_middleware=[_stop_if_end_is_not_recorded],
        )

    async def _unregister_previous(self) -> None:
        """Free the jobs of the previous worker before its heartbeat has expired."""
        if self._previous_worker_id is not None:
            await self._app.job_manager.unregister_worker(self._previous_worker_id)
            self._previous_worker_id = None


def _connection_pool() -> "AsyncConnectionPool[Any]":
    """Return a pool of one connection, which is checked before each use; all uses are short."""
    return AsyncConnectionPool(
        kwargs=connector_params(),
        min_size=1,
        max_size=1,
        timeout=DATABASE_TIMEOUT_S,
        check=AsyncConnectionPool.check_connection,
        open=False,
    )


async def _stop_if_end_is_not_recorded(
    call: Callable[[], Awaitable[Any]], context: JobContext, worker: Any
) -> Any:
    """Stop the worker if the end of a job can't be recorded.

    Otherwise the job would be held by this worker for as long as that sends heartbeats.
    """

    def on_end(job: "asyncio.Task[Any]") -> None:
        if not job.cancelled() and job.exception():
            log.warning(
                "the end of job %s could not be recorded",
                context.job.call_string,
                exc_info=job.exception(),
            )
            worker.stop()

    job = asyncio.current_task()
    if job:
        job.add_done_callback(on_end)
    return await call()
