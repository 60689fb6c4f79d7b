"""The tasks that Procrastinate's workers do: a district's updates, and the periodic tasks.

One update of a district is worked on at a time, by the lock of its jobs; each periodic task is done by one worker at a
time, by its own.
"""

import os
import threading
from collections.abc import Callable
from time import monotonic

from django.db import connections
from procrastinate import App, JobContext
from procrastinate.contrib.django.django_connector import DjangoConnector

from rollbook.jobs.housekeeping import PERIODIC_TASKS, PeriodicTask
from rollbook.jobs.many_workers.district_turn import DistrictTurn
from rollbook.jobs.many_workers.job_queue import CHORES, UPDATES, WORK

updates_app = App(connector=DjangoConnector())
housekeeping_app = App(connector=DjangoConnector())


@updates_app.task(name=WORK, queue=UPDATES, pass_context=True)
def work(context: JobContext, *, district: int, faults: int = 0) -> None:
    """Whatever is due in one district."""
    DistrictTurn(district, context.should_abort, faults).take()


def register(app: App, task: PeriodicTask) -> None:
    """Let the app start the task by its clock; two of its jobs never wait at the same time."""

    @app.periodic(cron=task.cron, queueing_lock=task.name)
    @app.task(name=task.name, queue=CHORES, lock=task.name, pass_context=True)
    def run(context: JobContext, timestamp: int = 0) -> None:
        if task.niceness:
            _with_niceness(task.niceness, lambda: _repeat(task, context))
        else:
            _repeat(task, context)


def _repeat(task: PeriodicTask, context: JobContext) -> None:
    """Do pieces of the task until it finds no more, the worker stops, or the time is up."""
    until = monotonic() + task.limit_s
    while task.run() and not context.should_abort() and monotonic() < until:
        pass


def _with_niceness(niceness: int, work: Callable[[], None]) -> None:
    """Do it in a thread of its own: a niceness cannot be taken back."""
    faults: list[BaseException] = []

    def do() -> None:
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), niceness)
        try:
            work()
        except BaseException as fault:
            faults.append(fault)
        finally:
            connections.close_all()

    thread = threading.Thread(target=do)
    thread.start()
    thread.join()
    if faults:
        raise faults[0]


for _task in PERIODIC_TASKS:
    register(housekeeping_app, _task)
