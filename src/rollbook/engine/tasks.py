"""The tasks that Procrastinate's workers do: a district's updates, and the chores of the house.

One update of a district is worked on at a time, by the lock of its jobs; each chore is done once for all, by its own.
"""

import os
import threading
from collections.abc import Callable
from time import monotonic

from asgiref.sync import async_to_sync
from django.db import connections
from procrastinate import App, JobContext
from procrastinate.contrib.django.django_connector import DjangoConnector

from rollbook.engine import chores, jobs
from rollbook.engine.jobs import CHORES, MAIL, UPDATES, WORK
from rollbook.engine.turns import Turn

WRAPPING = "wrap passwords"
SWEEPING = "sweep the spool"
PURGING = "purge jobs"
SEALING = "seal the audit"
RETENTION = "remove what is old"
ALL_CHORES = (MAIL, WRAPPING, SEALING, SWEEPING, PURGING, RETENTION)

WRAPPING_SECONDS = 55.0  # of a job; the next one comes with the minute
LAZY = 19  # the niceness of what may take days
HOURS_KEPT = 24  # of jobs that failed; all others go when they are done

updates = App(connector=DjangoConnector())
house = App(connector=DjangoConnector())


@updates.task(name=WORK, queue=UPDATES, pass_context=True)
def work(context: JobContext, *, district: int, faults: int = 0) -> None:
    """Whatever is due in one district."""
    Turn(district, context.should_abort, faults).take()


@house.periodic(cron="* * * * * */15", queueing_lock=MAIL)
@house.task(name=MAIL, queue=CHORES, lock=MAIL, pass_context=True)
def mail(context: JobContext, timestamp: int = 0) -> None:
    """Letters of updates that have ended, and those whose time to be tried again has come."""
    while chores.mail() and not context.should_abort():
        pass


@house.periodic(cron="* * * * *", queueing_lock=WRAPPING)
@house.task(name=WRAPPING, queue=CHORES, lock=WRAPPING, pass_context=True)
def wrap_passwords(context: JobContext, timestamp: int = 0) -> None:
    """As many as can be done before the next of these jobs comes; after a first load there is work for days."""
    until = monotonic() + WRAPPING_SECONDS

    def wrap() -> None:
        while not context.should_abort() and monotonic() < until and chores.wrap_passwords():
            pass

    _lazily(wrap)


@house.periodic(cron="* * * * *", queueing_lock=SEALING)
@house.task(name=SEALING, queue=CHORES, lock=SEALING, pass_context=True)
def seal_audit(context: JobContext, timestamp: int = 0) -> None:
    """The events since the last seal."""
    while chores.seal_audit() and not context.should_abort():
        pass


@house.periodic(cron="0 * * * *", queueing_lock=SWEEPING)
@house.task(name=SWEEPING, queue=CHORES, lock=SWEEPING)
def sweep(timestamp: int = 0) -> None:
    """Drafts that were never sent, files of uploads that were cut off, and sessions that are over."""
    chores.sweep()


@house.periodic(cron="15 * * * *", queueing_lock=RETENTION)
@house.task(name=RETENTION, queue=CHORES, lock=RETENTION, pass_context=True)
def remove_old(context: JobContext, timestamp: int = 0) -> None:
    """What districts keep no longer, in small pieces."""
    while chores.remove_old() and not context.should_abort():
        pass


@house.periodic(cron="30 * * * *", queueing_lock=PURGING)
@house.task(name=PURGING, queue=CHORES, lock=PURGING)
def purge(timestamp: int = 0) -> None:
    """Jobs that failed long ago."""
    async_to_sync(jobs.in_transaction.delete_old_jobs)(
        nb_hours=HOURS_KEPT, include_failed=True, include_cancelled=True, include_aborted=True
    )


def _lazily(work: Callable[[], None]) -> None:
    """Do it when nobody else wants the processor, in a thread of its own: a niceness cannot be taken back."""
    faults: list[BaseException] = []

    def do() -> None:
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), LAZY)
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
