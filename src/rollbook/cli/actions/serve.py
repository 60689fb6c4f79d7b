"""Runs ``rollbook serve`` and the two processes it starts, ``web`` and ``worker``."""

import os
import signal
import threading
from argparse import Namespace

from django.conf import settings

from rollbook.cli.errors import OK, USAGE, CommandError
from rollbook.cli.unusable_database import reporting_unusable_database
from rollbook.db import connections
from rollbook.garbage_collection import tune_for_many_rows
from rollbook.jobs import work
from rollbook.jobs.many_workers import spool_sweeper
from rollbook.server import parent_watch, supervisor, tls
from rollbook.server.gunicorn_app import Address, run_web
from rollbook.server.startup import prepare

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


def serve(arguments: Namespace) -> int:
    """Run web server and worker until stopped."""
    return supervisor.serve(
        settings.DATA,
        Address(arguments.host, arguments.port),
        certificate=arguments.cert,
        key=arguments.key,
        behind_proxy=settings.BEHIND_PROXY,
    )


def web(arguments: Namespace) -> int:
    """Run the web server only."""
    certificate = None if settings.BEHIND_PROXY else _load_certificate(arguments)
    _prepare()
    connections.configure_for_web()
    run_web(
        Address(arguments.host, arguments.port),
        certificate,
        behind_proxy=settings.BEHIND_PROXY,
        beside=spool_sweeper.start_sweeper_of_web_server,
    )
    return OK


def _load_certificate(arguments: Namespace) -> tls.Certificate:
    if not (arguments.cert and arguments.key):
        raise CommandError(
            "no_certificate",
            "use --cert and --key, or --behind-proxy; only `rollbook serve` creates a certificate",
            USAGE,
        )
    try:
        return tls.load_certificate(arguments.cert, arguments.key)
    except tls.CertificateProblem as error:
        raise CommandError("cannot_start", str(error)) from None


def worker(arguments: Namespace) -> int:
    """Run the worker only.

    The first signal lets it finish the current step; the second one stops it immediately.
    """
    if arguments.concurrency > 1 and not settings.ON_POSTGRESQL:
        raise CommandError(
            "one_at_a_time",
            "--concurrency needs PostgreSQL (DATABASE_URL); on SQLite, one worker processes the "
            "updates of all districts in turn",
            USAGE,
        )
    parent_watch.watch()
    _prepare()
    stop_requested = threading.Event()
    _set_on_first_signal(stop_requested)
    tune_for_many_rows()
    with reporting_unusable_database():
        work(stop_requested, arguments.concurrency)
    return OK


def _set_on_first_signal(event: threading.Event) -> None:
    """Set the event at the first stop signal, and restore the default handlers for the second."""

    def handle(number: int, frame: object) -> None:
        event.set()
        for stop_signal in STOP_SIGNALS:
            signal.signal(stop_signal, signal.SIG_DFL)

    for stop_signal in STOP_SIGNALS:
        signal.signal(stop_signal, handle)


def _prepare() -> None:
    """Prepare the data folder and database, unless ``serve`` has done so for its children."""
    if parent_watch.VARIABLE in os.environ:
        return
    with reporting_unusable_database():
        prepare()
