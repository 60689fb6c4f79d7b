"""A worker of Procrastinate on one queue, in a thread of its own; a fault ends it, and another one takes its place.

Whatever breaks (a heartbeat that cannot be written, the end of a job that cannot be) leads to the same new beginning:
what the one before still held is taken up again like that of any other that has died, only sooner.
"""

import asyncio
import logging
import threading
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from procrastinate import App, JobContext, PsycopgConnector
from procrastinate.contrib.django import connector_params
from procrastinate.worker import Worker
from psycopg_pool import AsyncConnectionPool

from rollbook.jobs.backoff import backoff_seconds
from rollbook.jobs.many_workers import reaper

POLL_INTERVAL_S = 0.5  # seconds between two looks at the queue: also what others left to be done later is found so
STOP_CHECK_INTERVAL_S = 0.1
STABLE_AFTER_S = 10.0  # seconds; faults further apart are not faults in a row
DATABASE_TIMEOUT_S = 10.0  # seconds that the database may be away without any other consequence

log = logging.getLogger(__name__)


Around = Callable[[Callable[[], Any]], Any]


class QueueWorker:
    """So many threads that do the jobs of one queue. ``around`` calls each job, in its thread."""

    def __init__(self, app: App, queue: str, concurrency: int, around: Around) -> None:
        self._app, self._queue, self._concurrency, self._around = app, queue, concurrency, around
        self._left_behind: int | None = None  # the worker that could not say goodbye

    def work(self, stop: threading.Event) -> None:
        """Do what comes until told to stop; then end the step in hand, and no more."""
        faults = 0
        while not stop.is_set():
            begun = time.monotonic()
            try:
                asyncio.run(self._until(stop))
            except Exception:
                log.warning(
                    "the worker of the queue %s could not go on", self._queue, exc_info=True
                )
            if not stop.is_set():
                faults = faults + 1 if time.monotonic() - begun < STABLE_AFTER_S else 1
                stop.wait(backoff_seconds(faults))

    async def _until(self, stop: threading.Event) -> None:
        working = asyncio.create_task(self._work())
        while not working.done() and not stop.is_set():
            await asyncio.wait([working], timeout=STOP_CHECK_INTERVAL_S)
        working.cancel()  # which a worker takes for a kind word
        with suppress(asyncio.CancelledError):
            await working

    async def _work(self) -> None:
        asyncio.get_running_loop().set_default_executor(
            ThreadPoolExecutor(self._concurrency, self._queue)
        )
        async with _sessions() as pool:
            with self._app.replace_connector(PsycopgConnector()) as app:
                await app.open_async(pool)
                await self._say_goodbye()
                worker = self._worker(app)
                try:
                    await worker.run()
                finally:
                    self._left_behind = worker.worker_id

    def _worker(self, app: App) -> Any:
        return Worker(
            app,
            queues=[self._queue],
            name=self._queue,
            concurrency=self._concurrency,
            fetch_job_polling_interval=POLL_INTERVAL_S,
            abort_job_polling_interval=60.0,
            shutdown_graceful_timeout=0,  # jobs are told at once, and are waited for
            listen_notify=False,
            delete_jobs="successful",
            install_signal_handlers=False,
            update_heartbeat_interval=reaper.HEARTBEAT_INTERVAL_S,
            stalled_worker_timeout=reaper.LEASE_S,
            task_middleware=[lambda call, context, worker: self._around(call)],
            worker_middleware=[_end_with_what_cannot_be_noted],
        )

    async def _say_goodbye(self) -> None:
        """Its jobs are free then; nobody has to wait until its last sign of life is old."""
        if self._left_behind is not None:
            await self._app.job_manager.unregister_worker(self._left_behind)
            self._left_behind = None


def _sessions() -> "AsyncConnectionPool[Any]":
    """Of one session: what goes through it is short, and it is looked at before each use."""
    check = AsyncConnectionPool.check_connection
    return AsyncConnectionPool(
        kwargs=connector_params(),
        min_size=1,
        max_size=1,
        timeout=DATABASE_TIMEOUT_S,
        check=check,
        open=False,
    )


async def _end_with_what_cannot_be_noted(
    call: Callable[[], Awaitable[Any]], context: JobContext, worker: Any
) -> Any:
    """A job whose end could not be noted is still in this worker's hands for all others; so the worker must go."""

    def ended(job: "asyncio.Task[Any]") -> None:
        if not job.cancelled() and job.exception():
            log.warning(
                "the end of job %s could not be noted",
                context.job.call_string,
                exc_info=job.exception(),
            )
            worker.stop()

    job = asyncio.current_task()
    if job:
        job.add_done_callback(ended)
    return await call()
