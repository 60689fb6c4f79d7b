"""Runs ``rollbook serve`` and the two processes it starts, ``web`` and ``worker``."""

import mmap
import os
import signal
import threading
from argparse import Namespace
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial

from django.conf import settings
from django.db import Error

from rollbook import core_dumps, error_reports
from rollbook.cli.errors import NEWER_DATABASE, OK, USAGE, CommandError
from rollbook.cli.unusable_database import reporting_unusable_database
from rollbook.db import connections, schema_version
from rollbook.db.schema_version import DatabaseIsOlder
from rollbook.db.schema_watch import watch
from rollbook.garbage_collection import tune_for_many_rows
from rollbook.jobs import progress, work
from rollbook.jobs.many_workers import spool_sweeper
from rollbook.operations.alerts import watch as alert_watch
from rollbook.server import parent_watch, supervisor, tls
from rollbook.server.gunicorn_app import THREADS, Address, Endpoint, UnixSocket, run_web
from rollbook.server.listener import ListenError, listening
from rollbook.server.startup import complete, prepare, wait_until_ready

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


def serve(arguments: Namespace) -> int:
    """Run web server and worker until stopped."""
    _require_error_reports()
    with reporting_unusable_database():
        return supervisor.serve(
            settings.DATA,
            _endpoint(arguments),
            certificate=arguments.cert,
            key=arguments.key,
            behind_proxy=settings.BEHIND_PROXY,
        )


def web(arguments: Namespace) -> int:
    """Run the web server only."""
    core_dumps.protect_memory()
    _require_error_reports()
    certificate = None if settings.BEHIND_PROXY else _load_certificate(arguments)
    endpoint = _endpoint(arguments)
    _prepare()
    connections.configure_for_web(THREADS)
    process = os.getpid()
    found_newer = mmap.mmap(-1, 1)  # shared with the process that gunicorn forks
    try:
        with _socket_of(endpoint) as listener:
            run_web(
                endpoint,
                certificate,
                behind_proxy=settings.BEHIND_PROXY,
                beside=partial(_start_threads, found_newer),
                listener=listener,
            )
    except SystemExit:
        if os.getpid() == process and found_newer[0]:
            return _say_that_database_is_newer()
        raise
    return OK


def _endpoint(arguments: Namespace) -> Endpoint:
    if arguments.socket is None:
        return Address(arguments.host, arguments.port)
    if not settings.BEHIND_PROXY:
        raise CommandError(
            "no_proxy", "--socket is for a reverse proxy; use it with --behind-proxy", USAGE
        )
    return UnixSocket(arguments.socket.absolute())


@contextmanager
def _socket_of(endpoint: Endpoint) -> Iterator[int | None]:
    """Yield the file descriptor of a Unix socket that only this account and its group can use.

    On any other address gunicorn listens by itself, and `serve` has opened a socket already.
    """
    if isinstance(endpoint, Address) or parent_watch.VARIABLE in os.environ:
        yield None
        return
    try:
        with listening(endpoint) as listener:
            yield listener.fileno()
    except ListenError as error:
        raise CommandError("cannot_start", str(error)) from None


def _start_threads(found_newer: mmap.mmap, stop: Callable[[], None]) -> None:
    """Start what runs beside the web server.

    Args:
        found_newer: Gets a 1 if the database is newer than this version.
        stop: Stops the web server.
    """

    def stop_because_of_newer() -> None:
        found_newer[0] = 1
        stop()

    watch.start(complete, stop_because_of_newer)
    spool_sweeper.start_sweeper_of_web_server()
    alert_watch.start_in_web_server()


def _say_that_database_is_newer() -> int:
    """Raise the error that names the migrations; if they can't be read, return its exit code."""
    with reporting_unusable_database(), suppress(Error):
        schema_version.require_not_newer()
    return NEWER_DATABASE


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
    core_dumps.protect_memory()
    if arguments.concurrency > 1 and not settings.ON_POSTGRESQL:
        raise CommandError(
            "one_at_a_time",
            "--concurrency needs PostgreSQL (DATABASE_URL); on SQLite, one worker processes the "
            "updates of all districts in turn",
            USAGE,
        )
    _require_error_reports()
    error_reports.start(settings.SENTRY_DSN)
    parent_watch.watch()
    _prepare()
    stop_requested = threading.Event()
    _set_on_first_signal(stop_requested)
    progress.start_reporting()
    tune_for_many_rows()
    with reporting_unusable_database():
        wait_until_ready(stop_requested, progress.report_step)
        while not stop_requested.is_set():
            with suppress(DatabaseIsOlder):  # a backup was restored, for example
                work(stop_requested, arguments.concurrency)
            wait_until_ready(stop_requested, progress.report_step)
    return OK


def _require_error_reports() -> None:
    """Check that errors can be reported, if SENTRY_DSN is set."""
    try:
        error_reports.require_package(settings.SENTRY_DSN)
    except error_reports.PackageMissing as error:
        raise CommandError("no_sentry", str(error)) from None


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
