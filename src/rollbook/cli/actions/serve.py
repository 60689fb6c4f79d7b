"""``rollbook serve``, and the two processes it starts: ``web`` and ``worker``, which also run without it."""

import os
import signal
import threading
from argparse import Namespace

from django.conf import settings

from rollbook.cli.errors import OK, USAGE, CommandError
from rollbook.engine import folder, sessions, work
from rollbook.engine.versions import NewerDatabase
from rollbook.server import lifeline, supervise, tls
from rollbook.server.preparing import prepare
from rollbook.server.web import Address, run_web
from rollbook.staff.keyring import OtherKeys


def serve(arguments: Namespace) -> int:
    """Web and worker together, until told to stop."""
    return supervise.serve(
        settings.DATA,
        Address(arguments.host, arguments.port),
        certificate=arguments.cert,
        key=arguments.key,
        behind_proxy=settings.BEHIND_PROXY,
    )


def web(arguments: Namespace) -> int:
    """The web server alone."""
    certificate = None if settings.BEHIND_PROXY else _certificate(arguments)
    _prepare()
    sessions.of_a_web_server()
    run_web(
        Address(arguments.host, arguments.port),
        certificate,
        behind_proxy=settings.BEHIND_PROXY,
        beside=folder.sweep_of_a_web_server,
    )
    return OK


def _certificate(arguments: Namespace) -> tls.Certificate:
    if not (arguments.cert and arguments.key):
        raise CommandError(
            "no_certificate",
            "give --cert and --key, or --behind-proxy; `rollbook serve` does",
            USAGE,
        )
    try:
        return tls.given(arguments.cert, arguments.key)
    except tls.CertificateProblem as problem:
        raise CommandError("cannot_start", str(problem)) from None


def worker(arguments: Namespace) -> int:
    """The worker alone: at the first signal it ends the step in hand, at the second it ends at once."""
    if arguments.concurrency > 1 and not settings.ON_POSTGRESQL:
        raise CommandError(
            "one_at_a_time",
            "--concurrency needs PostgreSQL (DATABASE_URL); SQLite has one worker, in which all districts take turns",
            USAGE,
        )
    lifeline.watch()
    _prepare()
    stop = threading.Event()

    def told(number: int, frame: object) -> None:
        stop.set()
        for each in (signal.SIGTERM, signal.SIGINT):
            signal.signal(each, signal.SIG_DFL)

    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, told)
    try:
        work(stop, arguments.concurrency)
    except NewerDatabase as newer:
        raise CommandError("newer_database", str(newer)) from None
    return OK


def _prepare() -> None:
    """What ``serve`` has done for its own children."""
    if lifeline.VARIABLE in os.environ:
        return
    try:
        prepare()
    except NewerDatabase as newer:
        raise CommandError("newer_database", str(newer)) from None
    except OtherKeys as other:
        raise CommandError("other_keys", str(other)) from None
