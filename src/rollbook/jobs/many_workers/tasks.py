"""The tasks of Procrastinate's workers: the updates of a district, and the periodic tasks.

By the locks of their jobs, only one update of a district is in progress at a time, and only one
worker runs each periodic task.
"""

import os
import threading
from collections.abc import Callable
from time import monotonic

from django.db import connections
from procrastinate import App, JobContext
from procrastinate.contrib.django.django_connector import DjangoConnector

from rollbook.jobs.housekeeping import PERIODIC_TASKS, PeriodicTask
from rollbook.jobs.many_workers import job_queue
from rollbook.jobs.many_workers.district_turn import DistrictTurn
from rollbook.jobs.many_workers.job_queue import CHORES, UPDATES, WORK

updates_app = App(connector=DjangoConnector())
housekeeping_app = App(connector=DjangoConnector())


@updates_app.task(name=WORK, queue=UPDATES, pass_context=True)
def work(context: JobContext, *, district: int, faults: int = 0) -> None:
    """Work on the updates of one district."""
    DistrictTurn(district, context.should_abort, faults).take()


def register(app: App, task: PeriodicTask) -> None:
    """Make the app start a periodic task by the clock; only one job of it waits at a time."""

    @app.periodic(cron=task.cron, queueing_lock=task.name)
    @app.task(name=task.name, queue=CHORES, lock=task.name, pass_context=True)
    def run(context: JobContext, timestamp: int = 0) -> None:
        if task.niceness:
            _with_niceness(task.niceness, lambda: _repeat(task, context))
        else:
            _repeat(task, context)


def _repeat(task: PeriodicTask, context: JobContext) -> None:
    """Run the task until it finds no more work, the worker stops, or its time limit is reached."""
    job_queue.drop_waiting(task.name)
    deadline = monotonic() + task.limit_s
    while task.run() and not context.should_abort() and monotonic() < deadline:
        pass


def _with_niceness(niceness: int, work: Callable[[], None]) -> None:
    """Do the work in a new thread, as the niceness of a thread can't be lowered again."""
    errors: list[BaseException] = []

    def run() -> None:
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), niceness)
        try:
            work()
        except BaseException as error:
            errors.append(error)
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if errors:
        raise errors[0]


for _task in PERIODIC_TASKS:
    register(housekeeping_app, _task)
